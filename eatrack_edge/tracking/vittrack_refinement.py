"""The refinement ``vittrack``: VitTrack looks at the search crop too, and its box is averaged with ours.

It is not asked where the target is: it sees one template of the first frame, and follows a distractor sooner than our
network does. It is asked how large the target is *at the place that our network chose*, where it is the better of the
two. A wrong size makes a wrong search region, and from there a neighbour is followed, so the tracker continues from the
average. How the two boxes differ changes slowly, so not every frame needs a look of its own.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from eatrack_edge.core.boxes import Box, step_between
from eatrack_edge.core.crops import CropWindow, Frame
from eatrack_edge.core.errors import MissingExtra, UsageError
from eatrack_edge.core.resources import bundled
from eatrack_edge.inference.backend import Backend
from eatrack_edge.inference.single_graph import open_graph
from eatrack_edge.inference.vittrack_network import OUTPUTS, VitTrackNetwork, takes_crops_of
from eatrack_edge.tracking.settings import RefinementSettings

WEIGHTS = "vittrack_2023sep.onnx"


class VitTrackRefinement:
    """Refines the boxes of one tracker by VitTrack.

    Args:
        settings: How often it looks, and how much of its box is taken.
        backend: That runs the tracker; the second network runs on its package where it can, on the CPU.
        threads: Threads of one inference.

    Raises:
        UsageError: The model's crops are not those that VitTrack was trained with.
        MissingExtra: The weights are not installed.
    """

    def __init__(self, settings: RefinementSettings, backend: Backend, threads: int) -> None:
        if not takes_crops_of(spec := backend.model_spec):
            raise UsageError(
                f"VitTrack cannot refine the boxes of {spec.model}: it needs search crops of 256 px and 4 sides, "
                f"and templates of 128 px and 2 sides",
                hint="leave the refinement `off`",
            )
        weights = bundled(WEIGHTS)
        if weights is None:
            raise MissingExtra(f"cannot refine boxes: {WEIGHTS} is not installed", hint="reinstall eatrack-edge")
        graph = open_graph(weights, OUTPUTS, beside=backend.name.partition(" ")[0], threads=threads)
        self.name = f"vittrack ({graph.package})"
        self._settings = settings
        self._network = VitTrackNetwork(graph.run)
        self._calls = 0
        self._change: Change | None = None  # of the latest look; ``None`` where its box was unusable

    def start(self, template: Frame) -> None:
        """Begin with a new target: what the first template crop shows."""
        self._network.show(template)
        self._calls, self._change = 0, None

    def refine(self, search: Frame, window: CropWindow, box: Box) -> Box:
        """Average with VitTrack's box; a small target's is left as it is."""
        if min(box[2:]) < self._settings.minimum_side_px:
            return box
        if self._calls % self._settings.interval == 0:
            self._change = self._look(search, window, box)
        self._calls += 1
        return box if self._change is None else changed(box, self._change, self._settings.share)

    def score(self, search: Frame) -> float | None:
        """How sure VitTrack is that its target is somewhere in the search crop; ``None`` where that is not finite."""
        score = float(self._network.look(search).score_map.max())
        return score if math.isfinite(score) else None

    def _look(self, search: Frame, window: CropWindow, box: Box) -> Change | None:
        x, y, w, h = window.to_crop(box)
        second = self._network.look(search).box_about(x + w / 2, y + h / 2)
        return change_between(box, window.to_frame(second)) if math.isfinite(sum(second)) else None


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


def changed(box: Box, change: Change, share: float) -> Box:
    """A box after a share of a change.

    Args:
        box: Pixels of the frame.
        change: From ``change_between``.
        share: Share of the way that the centre and the logarithm of each side go.

    >>> changed((0, 0, 10, 10), Change(0.5, 0.0, 0.0, 0.0), share=0.4)
    (2.0, 0.0, 10.0, 10.0)
    """
    x, y, w, h = box
    new_w, new_h = w * math.exp(share * change.log_w), h * math.exp(share * change.log_h)
    return x + share * change.x * w + (w - new_w) / 2, y + share * change.y * h + (h - new_h) / 2, new_w, new_h
