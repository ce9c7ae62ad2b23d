"""VitTrack (OpenCV's own light network) on ONNX Runtime, following its own boxes."""

from __future__ import annotations

from pathlib import Path

from eatrack_edge.core.boxes import Box
from eatrack_edge.core.crops import Frame
from eatrack_edge.core.errors import InputError
from eatrack_edge.evaluation.baselines.base import Baseline, BaselineResult
from eatrack_edge.evaluation.baselines.onnx_session import open_session
from eatrack_edge.inference.single_graph import Arrays
from eatrack_edge.inference.vittrack_network import OUTPUTS, VitTrackNetwork


class VitTrack:
    """VitTrack 2023sep.

    Args:
        network: Its ONNX file.
        threads: Threads of one inference.

    Raises:
        MissingExtra: ONNX Runtime is not installed.
    """

    def __init__(self, network: Path, *, threads: int = 1) -> None:
        session = open_session(network, threads)

        def run(inputs: Arrays) -> Arrays:
            return dict(zip(OUTPUTS, session(inputs["template"], inputs["search"]), strict=True))

        self._network = VitTrackNetwork(run)
        self._box: Box | None = None

    def init(self, frame: Frame, box: Box) -> None:
        """Track the target in ``box``."""
        self._network.show_box(frame, box)
        self._box = box

    def update(self, frame: Frame) -> BaselineResult:
        """Find the target.

        Raises:
            InputError: ``init`` was not called.
        """
        if self._box is None:
            raise InputError("update before init: there is no target yet")
        self._box, score = self._network.find(frame, self._box)
        return BaselineResult(self._box, score)


VITTRACK = Baseline(
    lambda files, threads: VitTrack(*files, threads=threads), ("object_tracking_vittrack_2023sep.onnx",)
)
