"""The loop of ``track``: every tracked frame is counted, and given to the outputs, until something ends the run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from eatrack_edge.core.crops import Frame
from eatrack_edge.outputs.base import FrameRecord
from eatrack_edge.outputs.outputs import Outputs
from eatrack_edge.session.session import TrackedFrame
from eatrack_edge.session.summary import Summary

END_OF_SOURCE = "end of source"


def deliver(
    tracked: Iterable[TrackedFrame],
    outputs: Outputs,
    summary: Summary,
    *,
    templates: Callable[[], Sequence[Frame]],
    advance: Callable[[FrameRecord], None],
    ended: Callable[[], str],
) -> str:
    """Give every frame to the summary and the outputs, in time and memory that do not grow with the run.

    Args:
        tracked: Frames with their results.
        outputs: Of the run.
        summary: Of the run.
        templates: Gives the template crops to show.
        advance: Called with every result, to show progress.
        ended: Why to end after this frame, in words; empty to go on.

    Returns:
        Why it ended, in words.

    Raises:
        OutputError: An output failed.
        EATrackError: Whatever the source or the tracker raise.
    """
    for one in tracked:
        summary.add(one)
        for event in one.events:
            outputs.write_event(event)
        outputs.write(one.record, one.shown.frame, fps=summary.update_fps, templates=templates(), truth=one.shown.truth)
        advance(one.record)
        if reason := ended():
            return reason
    return END_OF_SOURCE
