"""The outputs of one run: opened together or not at all, and each finished whatever becomes of the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType

from eatrack_edge.core.boxes import Box
from eatrack_edge.core.crops import Frame
from eatrack_edge.core.errors import EATrackError, OutputError
from eatrack_edge.outputs.base import FrameRecord, Output, RunEvent, RunInfo
from eatrack_edge.outputs.output_file import is_special
from eatrack_edge.outputs.overlay import annotate
from eatrack_edge.outputs.registry import OUTPUTS, OutputRequest, check_requests


class Outputs:
    """The outputs of one run.

    Where one fails it is finished and left out; the others get the frame too before the error is raised.

    Args:
        requests: The files.
        run: What is tracked.
        also: Outputs that are open already, such as a window; they are finished with the others.

    Raises:
        UsageError: A file exists and may not be replaced, or two are one.
        OutputError: A file cannot be written. Then none was created.
    """

    def __init__(self, requests: Iterable[OutputRequest], run: RunInfo, *, also: Iterable[Output] = ()) -> None:
        requests = list(requests)
        check_requests(requests, overwrite=run.overwrite)
        self._outputs: list[Output] = []
        self._has_begun = False  # from then on what was written is kept
        undo = removal_of_new([path for _, path in requests])
        with ExitStack() as opened:
            opened.push(lambda kind, _error, _trace: undo() if kind and not self._has_begun else None)
            for output in also:
                self._add(output, opened)
            for form, path in requests:
                self._add(OUTPUTS.get(form).open(path, run), opened)
            self._opened = opened.pop_all()
        self._has_begun = True

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

        Raises:
            OutputError: One of them failed, the first to do so.
        """
        picture: Frame | None = None
        if any(output.needs_picture for output in self._outputs):
            picture = annotate(frame, record, fps=fps, templates=templates, truth=truth)
        self._each(lambda output: output.write(record, picture if output.needs_picture else None))

    def write_event(self, event: RunEvent) -> None:
        """Give an event to every output that has a place for it.

        Raises:
            OutputError: One of them failed, the first to do so.
        """
        self._each(lambda output: output.write_event(event))

    def write_summary(self, summary: Mapping[str, object]) -> None:
        """Give the summary to every output that has a place for it.

        Raises:
            OutputError: One of them failed, the first to do so.
        """
        self._each(lambda output: output.write_summary(summary))

    def _each(self, give: Callable[[Output], None]) -> None:
        first: OutputError | None = None
        for output in list(self._outputs):
            try:
                give(output)
            except OutputError as error:  # noqa: PERF203  (the others are given theirs)
                first = first or error
                self._outputs.remove(output)
                with suppress(EATrackError):
                    output.finish(error)
        if first is not None:
            raise first

    def __enter__(self) -> Outputs:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened.__exit__(kind, error, trace)


def removal_of_new(paths: Sequence[Path]) -> Callable[[], None]:
    """What removes, if a run does not begin, the files that are not there yet, and the folders made for them."""
    files = [path for path in paths if not _exists(path) and not is_special(path)]
    folders = [folder for path in files for folder in path.absolute().parents if not _exists(folder)]

    def undo() -> None:
        for path in files:
            with suppress(OSError):  # it was not made, or a part of its path is a file
                path.unlink()
        for folder in folders:
            with suppress(OSError):
                folder.rmdir()

    return undo


def _exists(path: Path) -> bool:
    """Whether it exists, or cannot be looked at: then opening it says why."""
    try:
        return path.exists()
    except OSError:
        return True
