"""VitTrack (OpenCV's own light network) on ONNX Runtime, fed as it was trained: RGB, ImageNet mean and deviation.

``cv2.TrackerVit`` gives it BGR, and divides by a colour in a way that turns the sign of two channels.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eatrack_edge.core.boxes import Box
from eatrack_edge.core.crops import CropWindow, Frame, cut
from eatrack_edge.core.errors import InputError
from eatrack_edge.core.model_spec import IMAGENET_MEAN_RGB, IMAGENET_STD_RGB
from eatrack_edge.evaluation.baselines.base import Baseline, BaselineResult
from eatrack_edge.evaluation.baselines.onnx_session import open_session

_TEMPLATE_PX, _SEARCH_PX, _CELLS = 128, 256, 16
_TEMPLATE_FACTOR, _SEARCH_FACTOR = 2.0, 4.0
_BLACK = (0, 0, 0)
_MEAN, _STD = np.array(IMAGENET_MEAN_RGB, np.float32), np.array(IMAGENET_STD_RGB, np.float32)


class VitTrack:
    """VitTrack 2023sep.

    Args:
        network: Its ONNX file.
        threads: Threads of one inference.

    Raises:
        MissingExtra: ONNX Runtime is not installed.
    """

    def __init__(self, network: Path, *, threads: int = 1) -> None:
        self._network = open_session(network, threads)
        hann = 0.5 * (1 - np.cos(2 * np.pi * np.arange(1, _CELLS + 1) / (_CELLS + 1)))
        self._window = np.outer(hann, hann)
        self._template: NDArray[np.float32] | None = None
        self._box: Box = (0.0, 0.0, 0.0, 0.0)

    def init(self, frame: Frame, box: Box) -> None:
        """Track the target in ``box``."""
        window = CropWindow.around(box, _TEMPLATE_FACTOR, _TEMPLATE_PX, "integer")
        self._template = _normalised(cut(frame, window, _BLACK))
        self._box = box

    def update(self, frame: Frame) -> BaselineResult:
        """Find the target.

        Raises:
            InputError: ``init`` was not called.
        """
        if self._template is None:
            raise InputError("update before init: there is no target yet")
        window = CropWindow.around(self._box, _SEARCH_FACTOR, _SEARCH_PX, "integer")
        score_map, size_map, offset_map = self._network(self._template, _normalised(cut(frame, window, _BLACK)))
        row, column = np.unravel_index(np.argmax(score_map[0, 0] * self._window), (_CELLS, _CELLS))
        dx, dy = offset_map[0, :, row, column]
        w, h = size_map[0, :, row, column] * _SEARCH_PX
        cell = _SEARCH_PX / _CELLS
        x, y = (column + dx) * cell - w / 2, (row + dy) * cell - h / 2
        left, top, width, height = window.to_frame((float(x), float(y), float(w), float(h)))
        # As OpenCV does, keep a pixel so that the next window exists.
        self._box = (left, top, max(width, 1.0), max(height, 1.0))
        return BaselineResult(self._box, float(score_map[0, 0, row, column]))


def _normalised(crop: Frame) -> NDArray[np.float32]:
    """BGR bytes to normalised RGB, shape (1, 3, H, W)."""
    rgb = crop[:, :, ::-1].astype(np.float32) / 255
    rgb = (rgb - _MEAN) / _STD
    return np.ascontiguousarray(rgb.transpose(2, 0, 1)[None], dtype=np.float32)


VITTRACK = Baseline(
    lambda files, threads: VitTrack(*files, threads=threads), ("object_tracking_vittrack_2023sep.onnx",)
)
