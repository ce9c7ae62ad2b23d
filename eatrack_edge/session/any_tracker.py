"""What a live session needs of its tracker, so that a test or a benchmark can stand in for it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from numpy.typing import NDArray

from eatrack_edge.core.boxes import Box
from eatrack_edge.tracking.result import TrackResult


class AnyTracker(Protocol):
    """What a session needs of ``Tracker``."""

    def init(self, frame: NDArray[Any], box: Box) -> None:
        """Track the target in a box."""
        ...

    def update(self, frame: NDArray[Any]) -> TrackResult:
        """Find the target in the next frame."""
        ...

    def bridge(self, frames: Iterable[NDArray[Any]]) -> None:
        """Follow the target from the frame given last through those that are skipped to the next."""
        ...

    def propose(self, frame: NDArray[Any], x: float, y: float) -> Box:
        """The box of what lies under a point, pixels of the frame."""
        ...

    def restore_template(self, number: int) -> None:
        """Show an earlier template in the second slot again."""
        ...
