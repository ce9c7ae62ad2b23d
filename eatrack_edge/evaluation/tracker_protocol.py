"""What every tracker that is evaluated must offer: ours, a baseline, or one of the user's own."""

from __future__ import annotations

from typing import Any, Protocol

from eatrack_edge.core.boxes import Box
from eatrack_edge.core.crops import Frame


class FrameResult(Protocol):
    """What the update of any tracker must return."""

    @property
    def box(self) -> Box:
        """In pixels of the frame, the first pixel at 0."""
        ...

    @property
    def confidence(self) -> float:
        """Any scale; ``nan`` from a tracker that has none."""
        ...


def state_of(result: FrameResult) -> str:
    """What a tracker claims about its target in a frame, in its own word; empty from one that has no states.

    Ours says ``TRACKING``, ``UNCERTAIN``, ``LOST`` or ``REACQUIRED``; a tracker of your own may return a ``state`` too.
    """
    return " ".join(str(getattr(result, "state", "")).replace(",", " ").split())  # it becomes a cell of a CSV file


class SingleObjectTracker(Protocol):
    """A tracker of one target, ours or another's."""

    def init(self, frame: Frame, box: Box, /) -> Any:
        """Track the target in ``box``, pixels of the frame."""
        ...

    def update(self, frame: Frame, /) -> FrameResult:
        """Find the target in the next frame."""
        ...
