"""A simulated backend: finds a red patch in the search crop where a real one would run a network."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from eatrack_edge.core.crops import Frame
from eatrack_edge.core.model_spec import Cropping, ModelSpec
from eatrack_edge.inference.backend import InferTiming, Maps

RED = (0, 0, 255)
GRID, DIM, SEARCH = 8, 12, 128


def model_spec(slots: int = 2, window: str = "subpixel") -> ModelSpec:
    return ModelSpec("simulated", DIM, 64, SEARCH, slots, Cropping(window=window))


class SimulatedBackend:
    """Gives the maps that a track graph would for a red target, and records its calls."""

    name = "simulated"
    timing_ms = InferTiming(0.0, 0.0, 0.0)
    note = ""

    def __init__(self, slots: int = 2, window: str = "subpixel") -> None:
        self.model_spec = model_spec(slots, window)
        self.encoded: list[tuple[Frame, list[int]]] = []
        self.extents: list[tuple[float, float]] = []  # as given with each of those
        self.searches = 0
        self.override: Maps | None = None
        self.confidence = 0.9
        self.is_blurred = False  # a low confidence is of the target itself, and not of what covers it
        self.is_closed = False

    def encode_template(self, crop: Frame, extent: tuple[float, float], slots: Sequence[int]) -> None:
        assert crop.shape == (64, 64, 3)
        self.extents.append(extent)
        self.encoded.append((crop, list(slots)))

    def infer(self, search: Frame) -> Maps:
        assert search.shape == (SEARCH, SEARCH, 3)
        self.searches += 1
        return self.override or self._look(search)

    def close(self) -> None:
        self.is_closed = True

    def _look(self, search: Frame) -> Maps:
        red = (search[..., 2] > 150) & (search[..., 1] < 80)
        score, offset, size = (
            np.full((GRID, GRID), 0.01, np.float32),
            np.zeros((2, GRID, GRID)),
            np.full((2, GRID, GRID), 0.1),
        )
        if red.any():
            ys, xs = np.nonzero(red)
            x1, y1, x2, y2 = xs.min(), ys.min(), xs.max() + 1, ys.max() + 1
            cx, cy = (x1 + x2) / 2 * GRID / SEARCH, (y1 + y2) / 2 * GRID / SEARCH
            row, column = min(int(cy), GRID - 1), min(int(cx), GRID - 1)
            score[row, column] = self.confidence
            offset[:, row, column] = cx - column, cy - row
            size[:, row, column] = (x2 - x1) / SEARCH, (y2 - y1) / SEARCH
        cells = search.reshape(GRID, SEARCH // GRID, GRID, SEARCH // GRID, 3).mean(axis=(1, 3)).reshape(-1, 3)
        is_covered = self.confidence < 0.3 and not self.is_blurred
        tokens = np.tile(-cells if is_covered else cells, (1, DIM // 3)).astype(np.float32)
        return Maps(score, offset.astype(np.float32), size.astype(np.float32), tokens)


def scene(cx: float, cy: float, w: float = 30, h: float = 20, width: int = 320, height: int = 240) -> Frame:
    """A red patch on a textured ground; edges are whole pixels."""
    y, x = np.mgrid[0:height, 0:width]
    frame = np.stack([(x * 5 + y * 3) % 120, 90 + (x * y) % 90, (x + 2 * y) % 60], axis=-1).astype(np.uint8)
    frame[
        max(0, round(cy - h / 2)) : max(0, round(cy + h / 2)), max(0, round(cx - w / 2)) : max(0, round(cx + w / 2))
    ] = RED
    return frame
