"""Refinement: a second look at the box that the network found, by a smaller network that draws tighter boxes.

Adding one is a class with the methods of ``Refinement`` and a line in ``REFINEMENTS``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from eatrack_edge.core.boxes import Box
from eatrack_edge.core.crops import CropWindow, Frame
from eatrack_edge.core.registry import Registry
from eatrack_edge.inference.backend import Backend
from eatrack_edge.inference.vittrack_network import takes_crops_of
from eatrack_edge.tracking.settings import RefinementSettings

AUTO = "auto"


class Refinement(Protocol):
    """Refines the boxes of one tracker. It is opened once, and begins anew with each target."""

    name: str
    """What it is and what runs it, such as ``vittrack (openvino)``; empty for none."""

    def start(self, template: Frame) -> None:
        """Begin with a new target. It must not fail.

        Args:
            template: The first template crop, as our network sees it: BGR uint8, a square.
        """
        ...

    def refine(self, search: Frame, window: CropWindow, box: Box) -> Box:
        """Look again at a box that was found.

        Args:
            search: The search crop, as our network sees it: BGR uint8, a square.
            window: Where the search crop lies in the frame.
            box: What our network found, pixels of the frame.

        Returns:
            What the tracker reports and continues from, pixels of the frame; ``box`` to leave it as it is.
        """
        ...

    def score(self, search: Frame) -> float | None:
        """The second network's highest score in a search crop, [0, 1], for the verifier; ``None`` without a network."""
        ...


class NoRefinement:
    """Leaves every box as the network found it."""

    name = ""

    def __init__(self, settings: RefinementSettings, backend: Backend, threads: int) -> None:
        del settings, backend, threads

    def start(self, template: Frame) -> None:
        """Nothing to prepare."""

    def refine(self, search: Frame, window: CropWindow, box: Box) -> Box:
        """Leave the box."""
        del search, window
        return box

    def score(self, search: Frame) -> float | None:
        """There is no second network."""
        del search
        return None


# Opened with the settings, the tracker's backend, and the threads of one inference.
REFINEMENTS: Registry[Callable[[RefinementSettings, Backend, int], Refinement]] = Registry(
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
        UsageError: There is none of that name, or it does not fit the model.
        MachineError: It lacks something on this machine.
    """
    return REFINEMENTS.get(refinement_name(settings, backend))(settings, backend, threads)


def refinement_name(settings: RefinementSettings, backend: Backend) -> str:
    """The refinement that the settings name beside a backend, a name in ``REFINEMENTS``.

    By itself that is VitTrack where it was measured: beside a model that runs on the CPU, with whose crops it was
    trained.
    """
    if settings.policy != AUTO:
        return settings.policy
    return "vittrack" if "CPU" in backend.name and takes_crops_of(backend.model_spec) else "off"
