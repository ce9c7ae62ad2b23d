"""The output forms by name, and the outputs of one run, opened together and finished together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Protocol

from eatrack_edge.core.boxes import Box
from eatrack_edge.core.crops import Frame
from eatrack_edge.core.errors import UsageError
from eatrack_edge.core.registry import Registry
from eatrack_edge.outputs.base import FrameRecord, Output, RunInfo
from eatrack_edge.outputs.overlay import annotate


class OutputForm(Protocol):
    """A form of output: a class with the suffixes that choose it, and a way to open it."""

    suffixes: Sequence[str]
    open: Callable[[Path, RunInfo], Output]


OUTPUTS: Registry[OutputForm] = Registry(
    "output",
    {
        "video": "eatrack_edge.outputs.video:VideoOutput",
        "jsonl": "eatrack_edge.outputs.jsonl:JsonLinesOutput",
        "csv": "eatrack_edge.outputs.csv:CsvOutput",
        "otb": "eatrack_edge.outputs.otb:OtbOutput",
    },
)


class OutputRequest(NamedTuple):
    """A file that the user asked for."""

    form: str  # a name in OUTPUTS
    path: Path


def request_for(path: Path) -> OutputRequest:
    """The form that a file's suffix chooses.

    Raises:
        UsageError: No form has that suffix.
    """
    suffixes: dict[str, str] = {}
    for name in OUTPUTS.names():
        suffixes |= dict.fromkeys(OUTPUTS.get(name).suffixes, name)
    # A device such as /dev/full stands for a video.
    form = "video" if path.is_char_device() else suffixes.get(path.suffix.lower())
    if form is None:
        raise UsageError(f"{path}: no output has the suffix `{path.suffix}`", hint=f"use {', '.join(suffixes)}")
    return OutputRequest(form, path)


def open_output(path: str | Path, run: RunInfo) -> Output:
    """Open one file in the form that its suffix chooses.

    Args:
        path: Such as ``out.mp4``, ``boxes.csv``, ``track.jsonl`` or ``boxes.txt``.
        run: What is tracked.

    Raises:
        UsageError: No form has that suffix, or the file exists and may not be replaced.
        OutputError: The file cannot be written.
    """
    form, path = request_for(Path(path))
    return OUTPUTS.get(form).open(path, run)


class Outputs:
    """The outputs of one run.

    Args:
        requests: The files.
        run: What is tracked.
        also: Outputs that are open already, such as a window; they are finished with the others.

    Raises:
        UsageError: A file exists and may not be replaced.
        OutputError: A file cannot be written.
    """

    def __init__(self, requests: Iterable[OutputRequest], run: RunInfo, *, also: Iterable[Output] = ()) -> None:
        self._outputs: list[Output] = []
        with ExitStack() as opened:
            for output in also:
                self._add(output, opened)
            for form, path in requests:
                self._add(OUTPUTS.get(form).open(path, run), opened)
            self._opened = opened.pop_all()

    def _add(self, output: Output, opened: ExitStack) -> None:
        self._outputs.append(output)
        opened.push(lambda _kind, error, _trace: output.finish(error))

    @property
    def is_closed_by_user(self) -> bool:
        """Whether the user asked the run to end."""
        return any(output.is_closed_by_user for output in self._outputs)

    def write(
        self, record: FrameRecord, frame: Frame, *, fps: float | None, templates: Sequence[Frame], truth: Box | None
    ) -> None:
        """Give one frame's result to every output. The picture is only drawn if one of them needs it.

        Args:
            record: The result.
            frame: Shape (H, W, 3), BGR; left as it is.
            fps: Speed to show, updates per second; ``None`` shows none.
            templates: The template crops to show.
            truth: The true box to show; ``None`` draws none.
        """
        picture: Frame | None = None
        if any(output.needs_picture for output in self._outputs):
            picture = annotate(frame, record, fps=fps, templates=templates, truth=truth)
        for output in self._outputs:
            output.write(record, picture if output.needs_picture else None)

    def write_summary(self, summary: Mapping[str, object]) -> None:
        """Give the summary to every output that has a place for it."""
        for output in self._outputs:
            output.write_summary(summary)

    def __enter__(self) -> Outputs:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened.__exit__(kind, error, trace)
