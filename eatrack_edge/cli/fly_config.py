"""Everything that ``eatrack-edge fly`` can be told, as a TOML file holds it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any

from eatrack_edge.core.errors import ConfigError
from eatrack_edge.core.resources import DEFAULT_MODEL
from eatrack_edge.ground.mavlink.camera_options import MavlinkOptions
from eatrack_edge.outputs.live_stream import StreamOptions
from eatrack_edge.sources.live_options import LiveOptions
from eatrack_edge.tracking.settings import TrackerSettings

SELECTIONS = ("auto", "none", "first-motion")


@dataclass(frozen=True, slots=True)
class FlyConfig:
    """The options of a flight."""

    source: str = ""  # a URI; the command line's comes first
    box: str = ""  # x,y,w,h of the target in the first frame, pixels; empty waits for a selection
    select: str = "auto"  # where no box is given: one of SELECTIONS; `auto` takes the true box of test://
    once: bool = False  # end when the source is lost, with exit code 5, where others reopen it without limit
    realtime: bool = False  # play a file as if it were live
    max_frames: int = 0  # end after so many results; 0 never does
    model: str = DEFAULT_MODEL  # bundled, or an exported file or folder
    backend: str = "auto"  # what runs the network
    threads: int = 1  # CPU threads of one inference
    history: int = 64  # recent frames that a selection may name; fewer where they take more than 192 MiB
    view_delay_ms: float = 0.0  # age of the picture that users see, for selections that name no frame
    jsonl: str = ""  # file for the log: a line for each frame and each event
    output: tuple[str, ...] = ()  # files of the other forms: .mp4, .csv, .txt, .jsonl as `track` writes it
    overwrite: bool = False  # replace files that exist
    commands: str = ""  # file or FIFO to read commands from, `-` for stdin
    show: bool = False  # a window; a box drawn in it selects
    stream: tuple[str, ...] = ()  # where live video goes: rtp://HOST:PORT, udp://HOST:PORT, rtsp://:PORT/PATH
    record: str = ""  # folder to record to, in segments of a minute
    record_what: str = "raw"  # the frames as the tracker saw them, or `annotated`
    record_budget: str = ""  # most that all recordings in the folder may take, such as 8GB; empty is what the disk has
    mcap: str = ""  # file for Foxglove and rosbag2
    video: StreamOptions = field(default_factory=StreamOptions)
    web: str = ""  # where the browser ground station listens: `on`, a port, or HOST:PORT; empty serves none
    web_token: str = ""  # that its viewers need; empty takes EATRACK_WEB_TOKEN, or makes one where one is needed
    input: LiveOptions = field(default_factory=LiveOptions)
    mavlink: MavlinkOptions = field(default_factory=MavlinkOptions)
    tracker: TrackerSettings = field(default_factory=TrackerSettings)

    def __post_init__(self) -> None:
        if self.select not in SELECTIONS:
            raise ConfigError(f"select must be one of {', '.join(SELECTIONS)}, got `{self.select}`")
        if not 0 <= self.view_delay_ms < math.inf:
            raise ConfigError(f"view_delay_ms must be at least 0, got {self.view_delay_ms:g}")
        if self.history < 1 or self.threads < 1 or self.max_frames < 0:
            raise ConfigError(
                f"history and threads must be at least 1 and max_frames at least 0, "
                f"got {self.history}, {self.threads} and {self.max_frames}"
            )

    def with_options(self, given: Mapping[str, Any]) -> FlyConfig:
        """These options with those of the command line, where they were given, in their place.

        Args:
            given: By name, empty or ``None`` where not given; one of a table begins with its name, such as
                ``input_width``. ``tracker_refinement`` is the refinement's name.

        Raises:
            ConfigError: One is out of range, or needs another.
        """
        own = {
            spec.name: _plain(value)
            for spec in fields(self)
            if not is_dataclass(getattr(self, spec.name))
            and ((value := given.get(spec.name)) or isinstance(value, float))
        }
        config = replace(self, **own, **{name: self._table(name, given) for name in ("input", "mavlink")})
        if config.mavlink.gimbal and not config.mavlink.connections:
            hint = "for example: --mavlink udpout:127.0.0.1:14540"
            raise ConfigError("--gimbal needs a MAVLink connection", hint=hint)
        if policy := given.get("tracker_refinement"):
            refinement = replace(config.tracker.refinement, policy=policy)
            config = replace(config, tracker=replace(config.tracker, refinement=refinement))
        return replace(config, input=replace(config.input, reopen=not config.once))

    def _table(self, name: str, given: Mapping[str, Any]) -> Any:
        table = getattr(self, name)
        values = {spec.name: given.get(f"{name}_{spec.name}") for spec in fields(table)}
        return replace(table, **{name: _plain(value) for name, value in values.items() if value is not None})


def _plain(value: Any) -> Any:
    """As a configuration holds it: an option that may be repeated is a tuple."""
    return tuple(value) if isinstance(value, list) else value


def as_toml(config: Any, table: str = "") -> str:
    """A dataclass of options as TOML that ``core.config.load`` reads; what has no value is a comment.

    >>> print(as_toml(LiveOptions(width=640)).splitlines()[:2])
    ['width = 640', '# height is not set']
    """
    own = [f"[{table}]"] if table else []
    tables = []
    for spec in fields(config):
        value = getattr(config, spec.name)
        if is_dataclass(value):
            tables.append("\n" + as_toml(value, f"{table}.{spec.name}" if table else spec.name))
        else:
            own.append(f"# {spec.name} is not set" if value is None else f"{spec.name} = {_toml(value)}")
    return "\n".join([*own, *tables])


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    if isinstance(value, tuple):
        return f"[{', '.join(_toml(item) for item in value)}]"
    return repr(value)
