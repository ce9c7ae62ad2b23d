"""Everything that ``track`` writes or shows, opened together and finished together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime, timezone
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from eatrack_edge.core.crops import Frame
from eatrack_edge.core.errors import UsageError
from eatrack_edge.outputs.base import CsvWriter, JsonLinesWriter, OtbWriter, Sink, VideoWriter
from eatrack_edge.outputs.overlay import annotate
from eatrack_edge.outputs.window import Window
from eatrack_edge.session.session import Followed
from eatrack_edge.sources.base import Source


class Wanted(NamedTuple):
    """What the user asked for."""

    video: Path | None = None
    jsonl: Path | None = None
    csv: Path | None = None
    otb: Path | None = None
    save_dir: Path | None = None
    overwrite: bool = False
    show: bool = False

    def filled_in(self, name: str) -> Wanted:
        """With ``save_dir``, every file that was not named gets its place in a folder of this run's own."""
        if self.save_dir is None:
            return self
        folder = self.save_dir / f"{name}-{datetime.now(timezone.utc):%Y%m%dT%H%M%SZ}"
        return self._replace(
            video=self.video or folder / "video.mp4",
            jsonl=self.jsonl or folder / "track.jsonl",
            csv=self.csv or folder / "track.csv",
            otb=self.otb or folder / "otb.txt",
        )

    def files(self) -> list[Path]:
        """The files among it."""
        return [path for path in (self.video, self.jsonl, self.csv, self.otb) if path is not None]


class Outputs:
    """The files and the window of one run.

    Args:
        wanted: What the user asked for.
        source: What is tracked; its name and frame rate are needed.
        header: First line of the JSON lines.

    Raises:
        UsageError: A file is there already, or is the source itself.
        OutputError: A file cannot be written.
        MachineError: A window was asked for and OpenCV has none.
    """

    def __init__(self, wanted: Wanted, source: Source, header: Mapping[str, object]) -> None:
        self._wanted = wanted.filled_in(source.name)
        _spare_the_source(source, self._wanted.files())
        self._stack = ExitStack()
        self._text: list[Sink] = []
        self._video: VideoWriter | None = None
        self._jsonl: JsonLinesWriter | None = None
        self._window: Window | None = None
        with self._stack as opened:
            self._open(opened, source, header)
            self._stack = opened.pop_all()

    def _open(self, stack: ExitStack, source: Source, header: Mapping[str, object]) -> None:
        wanted, overwrite = self._wanted, self._wanted.overwrite
        if wanted.show:
            self._window = stack.enter_context(Window(f"eatrack-edge: {source.name}"))
        if wanted.jsonl:
            self._jsonl = stack.enter_context(JsonLinesWriter(wanted.jsonl, header, overwrite=overwrite))
            self._text.append(self._jsonl)
        if wanted.csv:
            self._text.append(stack.enter_context(CsvWriter(wanted.csv, overwrite=overwrite)))
        if wanted.otb:
            self._text.append(stack.enter_context(OtbWriter(wanted.otb, overwrite=overwrite)))
        if wanted.video:
            self._video = stack.enter_context(VideoWriter(wanted.video, source.fps, overwrite=overwrite))

    @property
    def is_closed_by_user(self) -> bool:
        """Whether the user closed the window."""
        return self._window is not None and self._window.is_closed_by_user

    def write(self, followed: Followed, fps: float | None, templates: Sequence[Frame]) -> None:
        """One frame's result, to all of them. The picture is only drawn where someone will see it."""
        shown, record = followed
        for sink in self._text:
            sink.write(record)
        if self._video is None and self._window is None:
            return
        picture = annotate(shown.frame, record, fps=fps, templates=templates, truth=shown.truth)
        if self._video is not None:
            self._video.write(record, picture)
        if self._window is not None:
            self._window.show(picture)

    def finish(self, summary: Mapping[str, object]) -> None:
        """The summary, as the last line of the JSON lines."""
        if self._jsonl is not None:
            self._jsonl.write_summary(summary)

    def print_summary(self, summary: Mapping[str, object]) -> None:
        """The summary and the files, a line each, for a person or a grep."""
        for key, value in summary.items():
            print(f"{key.replace('_', ' '):<25} {value}")
        for path in self._wanted.files():
            print(f"{'wrote':<25} {path}")

    def __enter__(self) -> Outputs:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)


def _spare_the_source(source: Source, files: list[Path]) -> None:
    original = Path(source.uri.removeprefix("file://")).resolve()
    for path in files:
        if path.resolve() == original:
            raise UsageError(f"{path}: is the source itself", hint="write to another file")
