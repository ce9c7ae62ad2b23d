"""VitTrack's network (Pengyu Liu, OpenCV Zoo, Apache-2.0), fed as it was trained: RGB, ImageNet mean and deviation.

``cv2.TrackerVit`` gives it BGR, and divides by a colour in a way that turns the sign of two channels: it scores a third
less than the network can.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from eatrack_edge.core.boxes import Box
from eatrack_edge.core.crops import CropWindow, Frame, cut
from eatrack_edge.core.model_spec import IMAGENET_MEAN_RGB, IMAGENET_STD_RGB
from eatrack_edge.inference.single_graph import Run

OUTPUTS = ("output1", "output2", "output3")  # the score, size and offset maps, shapes (1, 1 or 2, 16, 16)
_TEMPLATE_PX, _SEARCH_PX, _CELLS = 128, 256, 16
_TEMPLATE_FACTOR, _SEARCH_FACTOR = 2.0, 4.0
_BLACK = (0, 0, 0)
_MEAN = np.array(IMAGENET_MEAN_RGB, np.float32)[:, None, None] * 255
_SCALE = 1 / (np.array(IMAGENET_STD_RGB, np.float32)[:, None, None] * 255)


class Found(NamedTuple):
    """What the network finds."""

    box: Box  # in pixels of the frame, each side at least 1
    score: float  # of the score map there, before the window, in [0, 1]


class VitTrackNetwork:
    """The network with the template of one target.

    Args:
        run: Its graph, opened with ``OUTPUTS``.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        line = 0.5 * (1 - np.cos(2 * np.pi * np.arange(1, _CELLS + 1) / (_CELLS + 1)))
        self._window = np.outer(line, line).astype(np.float32)
        self._template = np.empty((1, 3, _TEMPLATE_PX, _TEMPLATE_PX), np.float32)
        self._search = np.empty((1, 3, _SEARCH_PX, _SEARCH_PX), np.float32)
        self._crop = np.empty((_SEARCH_PX, _SEARCH_PX, 3), np.uint8)

    def show(self, frame: Frame, box: Box) -> None:
        """Take the target in ``box``, pixels of the frame, as the template."""
        window = CropWindow.around(box, _TEMPLATE_FACTOR, _TEMPLATE_PX, "integer")
        _normalise(cut(frame, window, _BLACK), self._template)

    def find(self, frame: Frame, around: Box) -> Found:
        """Find the target in a search region of 4 sides about a box, pixels of the frame."""
        window = CropWindow.around(around, _SEARCH_FACTOR, _SEARCH_PX, "integer")
        _normalise(cut(frame, window, _BLACK, out=self._crop), self._search)
        maps = self._run({"template": self._template, "search": self._search})
        score_map, size_map, offset_map = (maps[name][0] for name in OUTPUTS)
        row, column = divmod(int((score_map[0] * self._window).argmax()), _CELLS)
        dx, dy = offset_map[:, row, column].tolist()
        w, h = (_SEARCH_PX * size_map[:, row, column]).tolist()
        cell = _SEARCH_PX / _CELLS
        left, top, width, height = window.to_frame(((column + dx) * cell - w / 2, (row + dy) * cell - h / 2, w, h))
        # As OpenCV does, keep a pixel so that the next window exists.
        return Found((left, top, max(width, 1.0), max(height, 1.0)), float(score_map[0, row, column]))


def _normalise(crop: Frame, out: NDArray[np.float32]) -> None:
    """BGR bytes (H, W, 3) to normalised RGB (1, 3, H, W), written to ``out``."""
    np.subtract(crop[:, :, ::-1].transpose(2, 0, 1), _MEAN, out=out[0])
    np.multiply(out[0], _SCALE, out=out[0])
