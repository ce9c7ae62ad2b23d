"""``test://``: a synthetic drone video as a source, with the true box of every frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, fields
from types import TracebackType
from urllib.parse import parse_qsl

import numpy as np
from numpy.typing import NDArray

from eatrack_edge.core.boxes import Box
from eatrack_edge.core.errors import InputError, UsageError, did_you_mean
from eatrack_edge.scene.render import Scene
from eatrack_edge.scene.target_events import Events
from eatrack_edge.sources.base import SourceFrame, SourceOptions, starts_too_late

# Lowest and highest value of each setting. Below 96 px a car is a smudge; above 4K the world does not fit into memory.
_LIMITS = {
    "seed": (0, 2**31 - 1),
    "frames": (1, 100_000),
    "width": (96, 4096),
    "height": (96, 4096),
    "fps": (1, 240),
    "leave": (0, 100_000),
    "cut": (0, 100_000),
    "cover": (0, 100_000),
    "gone": (1, 100_000),
    "lookalikes": (0, 4),
}


class SyntheticSource:
    """A car on a country road, seen from a moving camera above: it turns, grows and shrinks, and drives under things.

    The same settings give the same frames on the same machine, from any ``start``.

    Args:
        seed: Which world, flight and traffic.
        frames: Length of the video.
        width: Pixels.
        height: Pixels.
        fps: Frames per second.
        start: First frame to deliver, from 0.
        events: What happens to the target, see ``Events``.

    Raises:
        InputError: A setting is out of range, or there is no frame ``start``.
    """

    rotation_applied: int = 0

    def __init__(
        self,
        *,
        seed: int = 0,
        frames: int = 240,
        width: int = 640,
        height: int = 480,
        fps: int = 30,
        start: int = 0,
        events: Events = Events(),  # noqa: B008  (it is frozen)
    ) -> None:
        settings = {"seed": seed, "frames": frames, "width": width, "height": height, "fps": fps}
        settings |= {name: value for name, value in asdict(events).items() if value != getattr(Events(), name)}
        self.uri = "test://?" + "&".join(f"{name}={value}" for name, value in settings.items())
        for name, value in settings.items():
            low, high = _LIMITS[name]
            if not low <= value <= high:
                raise InputError(f"test://: `{name}` must be {low} to {high}, got {value}")
        if start >= frames:
            raise starts_too_late(self.uri, start, frames)
        self.name = f"synthetic-{seed}"
        self.fps = float(fps)
        self.frame_count: int | None = frames
        self.size = (width, height)
        self._start = start
        self._scene = Scene(seed, frames, self.size, self.fps, events)
        self._is_closed = False

    @classmethod
    def from_uri(cls, uri: str, *, start: int = 0) -> SyntheticSource:
        """Read ``test://?seed=3&frames=300&width=640&height=480&fps=30``; what is left out keeps its default.

        Events have the names of the fields of ``Events``: ``test://?leave=90&gone=60&lookalikes=2``.

        Raises:
            InputError: An unknown setting, not a whole number, or out of range.
        """
        place, _, query = uri.removeprefix("test://").partition("?")
        if place.strip("/"):
            raise InputError(f"{uri}: the synthetic scene has no parts", hint="settings follow a `?`: test://?seed=3")
        settings: dict[str, int] = {}
        for name, value in parse_qsl(query, keep_blank_values=True):
            if name not in _LIMITS:
                hint = did_you_mean(name, _LIMITS, "settings are {}")
                raise InputError(f"{uri}: unknown setting `{name}`", hint=hint)
            if not value.removeprefix("-").isdecimal():
                raise InputError(f"{uri}: `{name}` must be a whole number, got `{value}`")
            settings[name] = int(value)
        happens = {field.name: settings.pop(field.name) for field in fields(Events) if field.name in settings}
        return cls(**settings, start=start, events=Events(**happens))

    @property
    def truth(self) -> NDArray[np.float64] | None:
        """The true box of each frame, also while the target is hidden, shape (frame_count, 4), pixels."""
        return self._scene.truth

    @property
    def visible(self) -> NDArray[np.float64]:
        """Part of the target that can be seen in each frame, shape (frame_count,), [0, 1]."""
        return self._scene.visible

    def __iter__(self) -> Iterator[SourceFrame]:
        """Draw from ``start`` to the last frame."""
        for index in range(self._start, self._scene.frame_count):
            if self._is_closed:
                return
            x, y, w, h = self._scene.truth[index].tolist()
            box: Box = (x, y, w, h)
            visible = float(self._scene.visible[index])
            yield SourceFrame(index, index / self.fps, self._scene.render(index), box, visible)

    def close(self) -> None:
        """End an iteration under way."""
        self._is_closed = True

    def __enter__(self) -> SyntheticSource:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_synthetic(uri: str, options: SourceOptions) -> SyntheticSource:
    """Open ``test://``, see ``SyntheticSource.from_uri``.

    Raises:
        UsageError: A range of values is given, which pictures of 8 bits do not have.
    """
    if options.value_range is not None:
        raise UsageError(f"{uri}: the pictures have 8 bits, which have no value range", hint="leave out --value-range")
    return SyntheticSource.from_uri(uri, start=options.start)
