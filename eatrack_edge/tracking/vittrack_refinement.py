"""The refinement ``vittrack``: VitTrack looks about the box that our network found, and draws a tighter one.

It is not asked where the target is: it sees one template of the first frame, and follows a distractor sooner than our
network does. Only where it is confident and nearly agrees is its box taken.
"""

from __future__ import annotations

import math

import numpy as np

from eatrack_edge.core.boxes import Box, between, iou, smooth_size, step_between, with_size
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

    def start(self, frame: Frame, box: Box) -> None:
        """Take the target in ``box``, pixels of the frame, as VitTrack's template."""
        self._network.show(frame, box)

    def refine(self, frame: Frame, box: Box, last: Box) -> Refined | None:
        """Look again; ``None`` where the target is small, or VitTrack's box is not to be trusted."""
        settings = self._settings
        if min(box[2:]) < settings.minimum_side_px:
            return None
        found = self._network.find(frame, box)
        if found.score < settings.minimum_score or _overlap(found.box, box) < settings.minimum_overlap:
            return None
        followed = box
        if settings.feedback_share and _step_sides(last, box) <= settings.feedback_step_sides:
            followed = smooth_size(with_size(box, *found.box[2:]), box, settings.feedback_share)
        return Refined(between(box, found.box, settings.reported_share), followed)


def _overlap(one: Box, two: Box) -> float:
    return float(iou(np.array([one]), np.array([two]))[0])


def _step_sides(last: Box, box: Box) -> float:
    """The step from one box to the next along the axis on which it is larger, in sides of the first."""
    x, y = step_between(last, box)
    return max(abs(x), abs(y)) / math.sqrt(last[2] * last[3])
