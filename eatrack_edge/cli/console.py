"""What the commands print: tables, aligned facts, progress bars and errors. A pipe has no width: nothing is wrapped."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from rich.progress import TaskID

    from eatrack_edge.core.errors import EATrackError
    from eatrack_edge.outputs.base import FrameRecord

_PIPE_WIDTH = 1000
_EVERY_S = 5.0  # between two plain progress lines: often enough for a log, not a flood
_REFRESH_S = 0.2  # between two drawings of the bars
AnyProgress = TypeVar("AnyProgress", bound="Progress")


def _console() -> Any:
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH, highlight=False)


def print_error(error: EATrackError) -> None:
    """Print an error and its hint as two lines on stderr."""
    print(f"error: {error}", file=sys.stderr)


def print_note(text: str) -> None:
    """Print a remark on stderr, so that a pipe gets the results alone."""
    print(f"note: {text}", file=sys.stderr)


def print_line(text: str, style: str = "") -> None:
    """Print one line that is never wrapped, so that a command in it can be copied."""
    from rich.text import Text

    _console().print(Text(text, style), soft_wrap=True)


def print_facts(rows: Iterable[tuple[str, str]]) -> None:
    """Print names and values, a line each, the values aligned."""
    facts = list(rows)
    width = max((len(name) for name, _ in facts), default=0)
    for name, value in facts:
        print_line(f"{name:<{width}}  {value}")


def print_table(
    rows: Sequence[Sequence[str]],
    title: str = "",
    *,
    has_headings: bool = True,
    styles: Mapping[str, str] | None = None,
) -> None:
    """Print a table.

    Args:
        rows: Text by row and column. The first row is of headings, and figures stand to the right of their column.
        title: Above the table.
        has_headings: Whether the first row is of headings; without them all columns stand to the left.
        styles: rich's style of a cell by its text.
    """
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title or None, title_justify="left", box=None, padding=(0, 2, 0, 0), show_header=has_headings)
    for place, name in enumerate(rows[0]):
        justify: Any = "right" if has_headings and place else "left"
        table.add_column(Text(name if has_headings else ""), justify=justify)
    for row in rows[1:] if has_headings else rows:
        table.add_row(*(Text(cell, (styles or {}).get(cell, "")) for cell in row))
    _console().print(table)


class Progress:
    """Shows how far a command is, on stderr: bars on a terminal, a plain line now and then elsewhere.

    Args:
        unit: What is counted, e.g. ``frames``.
        has_rate: Whether to show how many a second, and the time left.
        is_quiet: Show nothing at all.
    """

    def __init__(self, unit: str, *, has_rate: bool = True, is_quiet: bool = False) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bars

        self._unit, self._has_rate, self._is_quiet = unit, has_rate, is_quiet
        self._start = self._printed_at = self._drawn_at = time.monotonic()
        self._done_at_start = 0  # of the task whose rate is shown, the newest
        self._tasks: dict[str, TaskID] = {}
        self._bars = Bars(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[text]}", markup=False),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            disable=is_quiet or not sys.stderr.isatty(),
            auto_refresh=False,  # a thread that draws would disturb what `bench` measures
        )

    def show(
        self, task: str, done: int, total: int | None = None, detail: str = "", *, rate: float = 0, is_due: bool = False
    ) -> None:
        """Show that so much of a task is done.

        Args:
            task: Its name; a new one gets a bar of its own.
            done: How many.
            total: Of how many; ``None`` where this is not known.
            detail: Shown behind the figures.
            rate: Done in a second; 0 takes the mean since the task began.
            is_due: Print a plain line now, on a terminal too.
        """
        if self._is_quiet:
            return
        is_begun = task not in self._tasks
        if is_begun:
            if self._tasks:  # the first task began when this display was made
                self._start, self._done_at_start = time.monotonic(), done
            self._finish_unknown()
            self._tasks[task] = self._bars.add_task(task, total=total, text="")
        text = self._text(done, total, detail, rate or self._mean_rate(done))
        self._bars.update(self._tasks[task], completed=done, total=total, text=text)
        if is_begun or time.monotonic() - self._drawn_at >= _REFRESH_S:
            self._drawn_at = time.monotonic()
            self._bars.refresh()
        is_announced = is_begun and not (self._has_rate and done)
        if is_due or (self._bars.disable and (is_announced or self._is_line_due())):
            self._printed_at = time.monotonic()
            line = f"{task}: {text}" if text else task
            self._bars.console.print(line, soft_wrap=True, highlight=False, markup=False)

    def _text(self, done: int, total: int | None, detail: str, rate: float) -> str:
        parts = [f"{done}{'' if total is None else f'/{total}'} {self._unit}"] if done or total else []
        if self._has_rate and rate:
            parts.append(f"{rate:.1f} {'fps' if self._unit == 'frames' else f'{self._unit}/s'}")
            parts += [] if total is None else [f"{_duration((total - done) / rate)} left"]
        return ", ".join([*parts, *([detail] if detail else [])])

    def _mean_rate(self, done: int) -> float:
        return (done - self._done_at_start) / max(time.monotonic() - self._start, 1e-9)

    def _is_line_due(self) -> bool:
        return time.monotonic() - self._printed_at >= _EVERY_S

    def _finish_unknown(self) -> None:
        """Fill the bars of earlier tasks that never had a total: the next task says that they are done."""
        for task in self._bars.tasks:
            if task.total is None:
                self._bars.update(task.id, total=1, completed=1)

    def __enter__(self: AnyProgress) -> AnyProgress:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()


class TrackProgress(Progress):
    """Progress over the frames of one source.

    Args:
        name: What is being tracked.
        total: Frames to come; ``None`` where this is not known.
    """

    def __init__(self, name: str, total: int | None) -> None:
        super().__init__("frames")
        self._name, self._total, self._done = name, total, 0

    def advance(self, record: FrameRecord) -> None:
        """Count one more frame."""
        self._done += 1
        self.show(self._name, self._done, self._total, f"{record.state} {record.confidence:.2f}")


def _duration(seconds: float) -> str:
    """A time in the unit that a reader wants: seconds, minutes or hours.

    >>> _duration(42), _duration(600), _duration(9000)
    ('42 s', '10 min', '2.5 h')
    """
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
