"""How far a run is, on stderr: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from rich.progress import ProgressColumn

    from eatrack_edge.outputs.base import FrameRecord

_EVERY_S = 5.0  # between two plain lines: often enough for a log, not a flood
AnyDisplay = TypeVar("AnyDisplay", bound="Display")


class Display:
    """What the displays of all commands are: a bar while entered, on a terminal alone.

    Args:
        columns: Of the bar, rich's.
        is_quiet: Show nothing, not even on a terminal.

    Attributes:
        bar: rich's; where there is no terminal it is there, but disabled.
    """

    def __init__(self, *columns: ProgressColumn, is_quiet: bool = False) -> None:
        from rich.console import Console
        from rich.progress import Progress

        self._said = time.monotonic()
        self.bar = Progress(*columns, console=Console(stderr=True), disable=is_quiet or not sys.stderr.isatty())

    def is_line_due(self) -> bool:
        """Whether to say a plain line now: there is no bar, and the last ``True`` was a while ago."""
        now = time.monotonic()
        if not self.bar.disable or now - self._said < _EVERY_S:
            return False
        self._said = now
        return True

    def __enter__(self: AnyDisplay) -> AnyDisplay:
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()


class TrackProgress(Display):
    """Progress over frames.

    Args:
        name: What is being tracked.
        total: Frames to come; ``None`` where nobody knows.
    """

    def __init__(self, name: str, total: int | None) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

        super().__init__(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]:.1f} fps  confidence {task.fields[confidence]:.2f}"),
            TimeRemainingColumn(),
        )
        self._name, self._total, self._done = name, total, 0
        self._start = time.monotonic()
        self._task = self.bar.add_task(name, total=total, rate=0.0, confidence=0.0)

    def advance(self, record: FrameRecord) -> None:
        """One more frame is done."""
        self._done += 1
        rate = self._done / max(time.monotonic() - self._start, 1e-9)
        if not self.bar.disable:
            self.bar.update(self._task, completed=self._done, rate=rate, confidence=record.confidence)
        elif self.is_line_due():
            print(self._line(record, rate), file=sys.stderr, flush=True)

    def _line(self, record: FrameRecord, rate: float) -> str:
        of = f"/{self._total}" if self._total else ""
        left = f", {(self._total - self._done) / rate:.0f} s left" if self._total else ""
        return f"{self._name}: {self._done}{of} frames, {rate:.1f} fps{left}, {record.state} {record.confidence:.2f}"
