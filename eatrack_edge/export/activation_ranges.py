"""Measures the activations of a graph, and chooses the range that INT8 represents."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from eatrack_edge.core.imports import require

LEVELS = 127  # of a signed byte with zero point 0, to either side
Feed = Mapping[str, Any]  # input name to array

# The upper 16 of a magnitude's 31 bits: 256 bins an octave, from the smallest number to the largest.
_DROPPED_BITS, _BINS = 15, 1 << 16
_MIDDLES = ((np.arange(_BINS, dtype=np.uint32) << _DROPPED_BITS) + (1 << _DROPPED_BITS - 1)).view(np.float32)
_CLIPPED = np.linspace(0.2, 1.0, 33)  # shares of the largest value that are tried as the range
_ROWS = 1024  # kept of a value, to try ranges on
_SEED = 2026


@dataclass(frozen=True, slots=True, eq=False)
class Observed:
    """One value of a graph, over many inputs. Its channels are its last axis, all else are rows.

    Attributes:
        counts: Magnitudes in each bin, shape (65536,).
        lowest, highest, mean: Of each channel.
        rows: Some rows, evenly from all inputs, shape (M, channels).
    """

    counts: NDArray[np.int64]
    lowest: NDArray[np.float32]
    highest: NDArray[np.float32]
    mean: NDArray[np.float32]
    rows: NDArray[np.float32]

    @property
    def largest(self) -> float:
        """The largest magnitude."""
        return float(max(self.highest.max(), -self.lowest.min()))

    def range(self, weights: NDArray[np.float32] | None = None) -> float:
        """The largest magnitude to represent: the one with the least mean square error of rounding and clipping.

        Args:
            weights: Of the linear layers that read the value, shape (channels, outputs). With them the error is that
                of the layers' outputs: a rare large channel with large weights is then not clipped.
        """
        if not self.largest:
            return 1.0  # a scale must be positive
        candidates = self.largest * _CLIPPED
        if weights is None:
            present = np.flatnonzero(self.counts)
            values, counts = _MIDDLES[present].astype(np.float64), self.counts[present]
            errors = [float(np.dot(counts, _lost(values, top) ** 2)) for top in candidates]
        else:
            scales = np.maximum(np.abs(weights).max(axis=0) / LEVELS, np.finfo(np.float32).tiny)
            rounded, expected = np.round(weights / scales) * scales, self.rows @ weights
            errors = [
                float(np.mean(((self.rows + _lost(self.rows, top)) @ rounded - expected) ** 2)) for top in candidates
            ]
        return float(candidates[int(np.argmin(errors))])


def observe(graph: onnx.ModelProto, values: Collection[str], feeds: Sequence[Feed]) -> dict[str, Observed]:
    """Run a graph and record statistics of some of its values.

    Args:
        graph: Left as it is.
        values: Names of float32 values inside it.
        feeds: Its inputs, at least once.
    """
    runtime = require("onnxruntime", to="measure the ranges of a graph")
    opened = onnx.ModelProto()
    opened.CopyFrom(graph)
    for name in set(values) - {value.name for value in graph.graph.output}:
        opened.graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    session = runtime.InferenceSession(opened.SerializeToString(), providers=["CPUExecutionProvider"])
    seen = {name: _Running(math.ceil(_ROWS / len(feeds))) for name in values}
    for feed in feeds:
        for one, array in zip(seen.values(), session.run(list(seen), dict(feed)), strict=True):
            one.add(array.reshape(-1, array.shape[-1]))
    return {name: one.done() for name, one in seen.items()}


class _Running:
    """Collects an ``Observed``."""

    def __init__(self, rows: int) -> None:
        self._rows, self._rng = rows, np.random.default_rng(_SEED)
        self._counts = np.zeros(_BINS, np.int64)
        self._parts: list[tuple[NDArray[np.float32], ...]] = []

    def add(self, rows: NDArray[np.float32]) -> None:
        bins = np.abs(np.ascontiguousarray(rows)).view(np.uint32).ravel() >> _DROPPED_BITS
        self._counts += np.bincount(bins, minlength=_BINS)
        chosen = self._rng.choice(len(rows), min(self._rows, len(rows)), replace=False)
        self._parts.append((rows.min(axis=0), rows.max(axis=0), rows.mean(axis=0), rows[chosen]))

    def done(self) -> Observed:
        # Shapes are static, so every input counts the same in the mean.
        lowest, highest, mean, rows = zip(*self._parts, strict=True)
        return Observed(
            self._counts, np.min(lowest, axis=0), np.max(highest, axis=0), np.mean(mean, axis=0), np.concatenate(rows)
        )


def _lost(values: NDArray[Any], top: float) -> NDArray[Any]:
    """Error of the INT8 representation of values."""
    scale = top / LEVELS
    return np.asarray(np.clip(np.round(values / scale), -LEVELS, LEVELS) * scale - values)
