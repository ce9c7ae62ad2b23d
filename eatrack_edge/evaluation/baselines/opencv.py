"""OpenCV's own trackers: MIL in every build; KCF, CSRT and MOSSE in opencv-contrib."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2

from eatrack_edge.core.boxes import Box
from eatrack_edge.core.crops import Frame
from eatrack_edge.core.errors import MissingExtra
from eatrack_edge.evaluation.baselines.base import Baseline, BaselineResult


class OpenCvTracker:
    """One of OpenCV's trackers. It keeps its last box on frames where it reports failure.

    MIL draws samples from a generator seeded by the clock, out of reach: two runs of it differ.

    Args:
        name: ``mil``, ``kcf``, ``csrt`` or ``mosse``.

    Raises:
        MissingExtra: This OpenCV was built without it.
    """

    def __init__(self, name: str) -> None:
        self._make = _maker(name)
        self._tracker: Any = None
        self._box: Box = (0.0, 0.0, 0.0, 0.0)

    def init(self, frame: Frame, box: Box) -> None:
        """Track the target in ``box``, rounded to whole pixels as OpenCV asks."""
        x, y, w, h = (round(value) for value in box)
        self._tracker = self._make()
        self._tracker.init(frame, (x, y, max(w, 1), max(h, 1)))
        self._box = box

    def update(self, frame: Frame) -> BaselineResult:
        """Find the target; OpenCV gives no confidence."""
        is_found, box = self._tracker.update(frame)
        if is_found:
            x, y, w, h = (float(value) for value in box)
            self._box = (x, y, w, h)
        return BaselineResult(self._box, float("nan"))


def _maker(name: str) -> Callable[[], Any]:
    kind = {"mil": "TrackerMIL", "kcf": "TrackerKCF", "csrt": "TrackerCSRT", "mosse": "TrackerMOSSE"}[name]
    for module in (cv2, getattr(cv2, "legacy", None)):
        made = getattr(module, kind, None) or getattr(module, f"{kind}_create", None)
        if made is not None:
            return _kcf if name == "kcf" else getattr(made, "create", made)
    raise MissingExtra(
        f"cannot run {name}: this OpenCV was built without its contributed trackers",
        hint="pip uninstall opencv-python-headless, then pip install opencv-contrib-python-headless",
    )


def _kcf() -> Any:
    contributed: Any = cv2
    parameters = contributed.TrackerKCF.Params()
    # At OpenCV's default of 0.5 it fails at the first weak response and does not recover; at 0 it always returns a box.
    parameters.detect_thresh = 0.0
    return contributed.TrackerKCF.create(parameters)


def _baseline(name: str) -> Baseline:
    return Baseline(lambda _files, _threads: OpenCvTracker(name), package="opencv")


MIL, KCF, CSRT, MOSSE = (_baseline(name) for name in ("mil", "kcf", "csrt", "mosse"))
