"""NanoTrack on ONNX Runtime, fed as its authors' tracker feeds it.

After NanoTrack/nanotrack/tracker/{base,nano}_tracker.py of HonglinChu/SiamTrackers: a BGR crop in 0 ... 255 without
any normalisation, padded with the frame's mean colour; penalties for change of size and shape; a cosine window.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from eatrack_edge.core.boxes import Box
from eatrack_edge.core.crops import Frame
from eatrack_edge.evaluation.baselines.base import Baseline, BaselineResult
from eatrack_edge.evaluation.baselines.onnx_session import open_session

Floats = NDArray[np.float64]

_TEMPLATE_PX, _SEARCH_PX, _STRIDE = 127, 255, 16
_MINIMUM_SIDE_PX = 10


@dataclass(frozen=True, slots=True)
class NanoSettings:
    """The authors' constants for one version, from models/config/configv2.yaml and configv3.yaml."""

    cells: int  # per side of the maps
    window_influence: float
    penalty: float  # PENALTY_K
    learning_rate: float  # how fast the box's size follows


class NanoTrack:
    """NanoTrack V2 or V3.

    Args:
        backbone: ONNX file of the backbone.
        head: ONNX file of the head.
        settings: The version's constants.
        threads: Threads of one inference.

    Raises:
        MissingExtra: ONNX Runtime is not installed.
    """

    def __init__(self, backbone: Path, head: Path, *, settings: NanoSettings, threads: int = 1) -> None:
        self._settings = settings
        self._backbone, self._head = open_session(backbone, threads), open_session(head, threads)
        # The file fixes the backbone's input at the search crop's size; OpenCV lets the template be smaller.
        self._template_backbone = cv2.dnn.readNetFromONNX(str(backbone))
        hann = np.hanning(settings.cells)
        self._window = np.outer(hann, hann).ravel()
        cells = (np.arange(settings.cells) - settings.cells // 2) * _STRIDE
        self._points = np.stack([np.tile(cells, settings.cells), np.repeat(cells, settings.cells)]).astype(np.float64)
        self._template: Any = None
        self._centre, self._size, self._padding = np.zeros(2), np.ones(2), np.zeros(3)

    def init(self, frame: Frame, box: Box) -> None:
        """Track the target in ``box``."""
        x, y, w, h = box
        self._centre = np.array([x + (w - 1) / 2, y + (h - 1) / 2])
        self._size = np.array([w, h])
        self._padding = frame.mean(axis=(0, 1))
        crop = _crop(frame, self._centre, round(_context(self._size)), _TEMPLATE_PX, self._padding)
        self._template_backbone.setInput(crop)
        self._template = self._template_backbone.forward()

    def update(self, frame: Frame) -> BaselineResult:
        """Find the target."""
        context = _context(self._size)
        scale = _TEMPLATE_PX / context
        side = round(context * _SEARCH_PX / _TEMPLATE_PX)
        features = self._backbone(_crop(frame, self._centre, side, _SEARCH_PX, self._padding))[0]
        logits, distances = self._head(self._template, features)
        score = _foreground(logits)
        centres, sizes = self._boxes(distances)
        penalty = self._penalty(sizes, self._size * scale)
        influence = self._settings.window_influence
        best = int(np.argmax(penalty * score * (1 - influence) + self._window * influence))
        rate = penalty[best] * score[best] * self._settings.learning_rate
        height, width = frame.shape[:2]
        limit = np.array([width, height])
        self._centre = np.clip(self._centre + centres[:, best] / scale, 0, limit)
        self._size = np.clip(self._size * (1 - rate) + sizes[:, best] / scale * rate, _MINIMUM_SIDE_PX, limit)
        (x, y), (w, h) = (self._centre - self._size / 2).tolist(), self._size.tolist()
        return BaselineResult((x, y, w, h), float(score[best]))

    def _boxes(self, distances: NDArray[np.float32]) -> tuple[Floats, Floats]:
        """Centres and sizes of the boxes of all cells, in crop pixels from the crop's centre, shapes (2, F*F)."""
        sides = distances.reshape(4, -1).astype(np.float64)
        low, high = self._points - sides[:2], self._points + sides[2:]
        return (low + high) / 2, high - low

    def _penalty(self, sizes: Floats, size: Floats) -> Floats:
        """How much each box keeps of its score, in (0, 1]: less the more size or shape change."""
        by_size = _ratio(_context(sizes) / _context(size))
        by_shape = _ratio((size[0] / size[1]) / (sizes[0] / sizes[1]))
        return np.asarray(np.exp(-(by_size * by_shape - 1) * self._settings.penalty))


def _context(size: Floats) -> Any:
    """Side of the square around a box with half of (w + h) added to either side."""
    pad = (size[0] + size[1]) * 0.5
    return np.sqrt((size[0] + pad) * (size[1] + pad))


def _ratio(value: Floats) -> Floats:
    return np.maximum(value, 1 / value)


def _foreground(logits: NDArray[np.float32]) -> Floats:
    background, foreground = logits.reshape(2, -1).astype(np.float64)
    return np.asarray(1 / (1 + np.exp(background - foreground)))


def _crop(frame: Frame, centre: Floats, side: int, out_size: int, padding: Floats) -> NDArray[np.float32]:
    """A square of the frame, resized, shape (1, 3, out_size, out_size), BGR in 0 ... 255."""
    height, width = frame.shape[:2]
    x1, y1 = (math.floor(value - (side + 1) / 2 + 0.5) for value in centre)
    left, top = max(0, -x1), max(0, -y1)
    right, bottom = max(0, x1 + side - width), max(0, y1 + side - height)
    patch: Any = frame[max(y1, 0) : y1 + side, max(x1, 0) : x1 + side]
    if left or top or right or bottom:
        # The authors write the mean into a uint8 frame, which cuts it to a whole number.
        colour = [float(int(value)) for value in padding]
        patch = cv2.copyMakeBorder(patch, top, bottom, left, right, cv2.BORDER_CONSTANT, value=colour)
    patch = cv2.resize(patch, (out_size, out_size))
    return np.ascontiguousarray(patch.transpose(2, 0, 1)[None], dtype=np.float32)


def _baseline(settings: NanoSettings, backbone: str, head: str) -> Baseline:
    return Baseline(lambda files, threads: NanoTrack(*files, settings=settings, threads=threads), (backbone, head))


NANOTRACK_V2 = _baseline(
    NanoSettings(cells=16, window_influence=0.490, penalty=0.150, learning_rate=0.385),
    "nanotrack_backbone_sim.onnx",
    "nanotrack_head_sim.onnx",
)
NANOTRACK_V3 = _baseline(
    NanoSettings(cells=15, window_influence=0.455, penalty=0.138, learning_rate=0.348),
    "nanotrack_backbone.onnx",
    "nanotrack_head.onnx",
)
