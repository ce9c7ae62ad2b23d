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
from eatrack_edge.core.model_spec import IMAGENET_MEAN_RGB, IMAGENET_STD_RGB, ModelSpec
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


class VitTrackMaps(NamedTuple):
    """The network's outputs for one search crop. Valid until the next look."""

    score_map: NDArray[np.float32]  # (16, 16), in [0, 1]
    size_map: NDArray[np.float32]  # (2, 16, 16), (w, h) as fractions of the search crop
    offset_map: NDArray[np.float32]  # (2, 16, 16), centre within its cell, (dx, dy) in cells

    def box_at(self, row: int, column: int) -> Box:
        """The box at a score-map location, in pixels of the search crop; each side is at least 1, or ``nan``."""
        dx, dy = self.offset_map[:, row, column].tolist()
        w, h = np.maximum(_SEARCH_PX * self.size_map[:, row, column], 1.0).tolist()
        cell = _SEARCH_PX / _CELLS
        return (column + dx) * cell - w / 2, (row + dy) * cell - h / 2, w, h

    def box_about(self, x: float, y: float) -> Box:
        """The box of the target whose centre is about a point, both in pixels of the search crop."""
        row, column = (min(max(int(at * _CELLS / _SEARCH_PX), 0), _CELLS - 1) for at in (y, x))
        return self.box_at(row, column)


def takes_crops_of(spec: ModelSpec) -> bool:
    """Whether VitTrack was trained with crops of the sizes and factors that a model of ours sees."""
    cropping = spec.cropping
    search, template = (spec.search_size, cropping.search_factor), (spec.template_size, cropping.template_factor)
    return search == (_SEARCH_PX, _SEARCH_FACTOR) and template == (_TEMPLATE_PX, _TEMPLATE_FACTOR)


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

    def show(self, template: Frame) -> None:
        """Take what a crop shows as the template: shape (128, 128, 3), BGR, the target's square of 2 sides."""
        _normalise(template, self._template)

    def show_box(self, frame: Frame, box: Box) -> None:
        """Take the target in ``box``, pixels of the frame, as the template."""
        self.show(cut(frame, CropWindow.around(box, _TEMPLATE_FACTOR, _TEMPLATE_PX, "integer"), _BLACK))

    def look(self, search: Frame) -> VitTrackMaps:
        """Run the network on a search crop: shape (256, 256, 3), BGR, a square of 4 sides."""
        _normalise(search, self._search)
        maps = self._run({"template": self._template, "search": self._search})
        score_map, size_map, offset_map = (maps[name][0] for name in OUTPUTS)
        return VitTrackMaps(score_map[0], size_map, offset_map)

    def find(self, frame: Frame, around: Box) -> Found:
        """Find the target in a search region of 4 sides about a box, pixels of the frame."""
        window = CropWindow.around(around, _SEARCH_FACTOR, _SEARCH_PX, "integer")
        maps = self.look(cut(frame, window, _BLACK, out=self._crop))
        row, column = divmod(int((maps.score_map * self._window).argmax()), _CELLS)
        left, top, width, height = window.to_frame(maps.box_at(row, column))
        # As OpenCV does, keep a pixel so that the next window exists.
        return Found((left, top, max(width, 1.0), max(height, 1.0)), float(maps.score_map[row, column]))


def _normalise(crop: Frame, out: NDArray[np.float32]) -> None:
    """BGR bytes (H, W, 3) to normalised RGB (1, 3, H, W), written to ``out``."""
    np.subtract(crop[:, :, ::-1].transpose(2, 0, 1), _MEAN, out=out[0])
    np.multiply(out[0], _SCALE, out=out[0])
