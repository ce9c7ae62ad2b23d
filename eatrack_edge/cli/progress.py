"""How far a run is: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from eatrack_edge.media.records import FrameRecord

_EVERY_S = 5.0  # between two plain lines: often enough for a log, not a flood


class Progress:
    """Progress over frames, on stderr.

    Args:
        name: What is being tracked.
        total: Frames to come; ``None`` where nobody knows.
    """

    def __init__(self, name: str, total: int | None) -> None:
        self._name, self._total = name, total
        self._start = self._said = time.monotonic()
        self._done = 0
        self._bar: Bar | None = None
        self._task = TaskID(0)
        if sys.stderr.isatty():
            bar = Bar(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[rate]:.1f} fps  score {task.fields[score]:.2f}"),
                TimeRemainingColumn(),
                console=Console(stderr=True),
            )
            self._task = bar.add_task(name, total=total, rate=0.0, score=0.0)
            self._bar = bar

    def advance(self, record: FrameRecord) -> None:
        """One more frame is done."""
        self._done += 1
        now = time.monotonic()
        rate = self._done / max(now - self._start, 1e-9)
        if self._bar is not None:
            self._bar.update(self._task, completed=self._done, rate=rate, score=record.score)
        elif now - self._said >= _EVERY_S:
            self._said = now
            print(self._line(record, rate), file=sys.stderr, flush=True)

    def _line(self, record: FrameRecord, rate: float) -> str:
        of = f"/{self._total}" if self._total else ""
        left = f", {(self._total - self._done) / rate:.0f} s left" if self._total else ""
        return f"{self._name}: {self._done}{of} frames, {rate:.1f} fps{left}, {record.state} {record.score:.2f}"

    def __enter__(self) -> Progress:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
