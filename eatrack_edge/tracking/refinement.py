"""Refinement: a second look at the box that the network found, by a smaller network that draws tighter boxes.

Adding one is a class with the methods of ``Refinement`` and a line in ``REFINEMENTS``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from eatrack_edge.core.boxes import Box
from eatrack_edge.core.crops import Frame
from eatrack_edge.core.registry import Registry
from eatrack_edge.inference.backend import Backend
from eatrack_edge.tracking.settings import RefinementSettings


class Refined(NamedTuple):
    """A box after the second look, in pixels of the frame."""

    reported: Box  # what the tracker returns
    followed: Box  # what the tracker continues from: its place, and the size of the next search region


class Refinement(Protocol):
    """Refines the boxes of one tracker. It is opened once, and begins anew with each target."""

    name: str
    """What it is and what runs it, such as ``vittrack (openvino)``; empty for none."""

    def start(self, frame: Frame, box: Box) -> None:
        """Begin with a new target in ``box``, pixels of the frame. It must not fail."""
        ...

    def refine(self, frame: Frame, box: Box, last: Box) -> Refined | None:
        """Look again at a box that was found with high confidence.

        Args:
            frame: The frame.
            box: What the network found, pixels of the frame.
            last: The box of the frame before.

        Returns:
            ``None`` to leave the box as it is.
        """
        ...


class NoRefinement:
    """Leaves every box as the network found it."""

    name = ""

    def __init__(self, settings: RefinementSettings, backend: str, threads: int) -> None:
        del settings, backend, threads

    def start(self, frame: Frame, box: Box) -> None:
        """Nothing to prepare."""

    def refine(self, frame: Frame, box: Box, last: Box) -> None:
        """Nothing to look at."""


# Opened with the settings, the name of the tracker's backend, and the threads of one inference.
REFINEMENTS: Registry[Callable[[RefinementSettings, str, int], Refinement]] = Registry(
    "refinement",
    {
        "off": "eatrack_edge.tracking.refinement:NoRefinement",
        "vittrack": "eatrack_edge.tracking.vittrack_refinement:VitTrackRefinement",
    },
)


def open_refinement(settings: RefinementSettings, backend: Backend, threads: int) -> Refinement:
    """The refinement that the settings name.

    Args:
        settings: Of the tracker.
        backend: That runs the tracker; a second network runs on its package where it can.
        threads: Threads of one inference.

    Raises:
        UsageError: There is none of that name.
        MachineError: It lacks something on this machine.
    """
    return REFINEMENTS.get(settings.policy)(settings, backend.name.partition(" ")[0], threads)
