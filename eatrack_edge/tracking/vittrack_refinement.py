"""The refinement ``vittrack``: VitTrack looks about the box that our network found, and draws a tighter one.

It is not asked where the target is: it sees one template of the first frame, and follows a distractor sooner than our
network does. Only where it is confident and nearly agrees is its box taken. How it differs from ours changes slowly, so
not every frame needs a look of its own.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from eatrack_edge.core.boxes import Box, iou, step_between
from eatrack_edge.core.crops import Frame
from eatrack_edge.core.errors import MissingExtra
from eatrack_edge.core.resources import bundled
from eatrack_edge.inference.single_graph import open_graph
from eatrack_edge.inference.vittrack_network import OUTPUTS, VitTrackNetwork
from eatrack_edge.tracking.refinement import Refined
from eatrack_edge.tracking.settings import RefinementSettings

WEIGHTS = "vittrack_2023sep.onnx"


class VitTrackRefinement:
    """Refines the boxes of one tracker by VitTrack.

    Args:
        settings: When its box is taken, and how much of it.
        backend: Name of the tracker's backend; the second network runs on its package where it can, on the CPU.
        threads: Threads of one inference.

    Raises:
        MissingExtra: The weights are not installed.
    """

    def __init__(self, settings: RefinementSettings, backend: str, threads: int) -> None:
        weights = bundled(WEIGHTS)
        if weights is None:
            raise MissingExtra(f"cannot refine boxes: {WEIGHTS} is not installed", hint="reinstall eatrack-edge")
        graph = open_graph(weights, OUTPUTS, beside=backend, threads=threads)
        self.name = f"vittrack ({graph.package})"
        self._settings = settings
        self._network = VitTrackNetwork(graph.run)
        self._calls = 0
        self._change: Change | None = None  # of the latest look; ``None`` where its box was not taken

    def start(self, frame: Frame, box: Box) -> None:
        """Take the target in ``box``, pixels of the frame, as VitTrack's template."""
        self._network.show(frame, box)
        self._calls, self._change = 0, None

    def refine(self, frame: Frame, box: Box, last: Box) -> Refined | None:
        """Look again; ``None`` where the target is small, or VitTrack's latest box was not to be trusted."""
        settings = self._settings
        if min(box[2:]) < settings.minimum_side_px:
            return None
        if self._calls % settings.interval == 0:
            self._change = self._look(frame, box)
        self._calls += 1
        if self._change is None:
            return None
        followed = box
        if settings.feedback_share and _step_sides(last, box) <= settings.feedback_step_sides:
            followed = changed(box, self._change, place=0.0, size=settings.feedback_share)
        reported = changed(box, self._change, place=settings.reported_share, size=settings.reported_share)
        return Refined(reported, followed)

    def _look(self, frame: Frame, box: Box) -> Change | None:
        found = self._network.find(frame, box)
        is_confident = found.score >= self._settings.minimum_score
        overlap = iou(np.array([found.box]), np.array([box]))[0]
        is_taken = is_confident and overlap >= self._settings.minimum_overlap
        return change_between(box, found.box) if is_taken else None


class Change(NamedTuple):
    """How one box differs from another, in units of the first, so that it holds for the next frames too."""

    x: float  # of the centre, in widths
    y: float  # of the centre, in heights
    log_w: float  # logarithm of the ratio of the widths
    log_h: float


def change_between(box: Box, other: Box) -> Change:
    """The change from one box to another.

    >>> change_between((0, 0, 10, 10), (5, 0, 10, 20))
    Change(x=0.5, y=0.5, log_w=0.0, log_h=0.6931471805599453)
    """
    x, y = step_between(box, other)
    return Change(x / box[2], y / box[3], math.log(other[2] / box[2]), math.log(other[3] / box[3]))


def changed(box: Box, change: Change, *, place: float, size: float) -> Box:
    """A box after a share of a change.

    Args:
        box: Pixels of the frame.
        change: From ``change_between``.
        place: Share of the way that the centre goes.
        size: Share of the way that the logarithm of each side goes.

    >>> changed((0, 0, 10, 10), Change(0.5, 0.0, 0.0, 0.0), place=0.4, size=1.0)
    (2.0, 0.0, 10.0, 10.0)
    """
    x, y, w, h = box
    new_w, new_h = w * math.exp(size * change.log_w), h * math.exp(size * change.log_h)
    return x + place * change.x * w + (w - new_w) / 2, y + place * change.y * h + (h - new_h) / 2, new_w, new_h


def _step_sides(last: Box, box: Box) -> float:
    """The step from one box to the next along the axis on which it is larger, in sides of the first."""
    x, y = step_between(last, box)
    return max(abs(x), abs(y)) / math.sqrt(last[2] * last[3])
