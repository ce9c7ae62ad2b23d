"""What values flow into the products of a graph, and which range of them INT8 should span."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from eatrack_edge.optional import require

LEVELS = 127  # of a signed byte with zero point 0, to either side
Feed = Mapping[str, Any]  # input name to array

# The upper 16 of a magnitude's 31 bits: 256 bins an octave, from the smallest number to the largest.
_DROPPED_BITS, _BINS = 15, 1 << 16
_MIDDLES = ((np.arange(_BINS, dtype=np.uint32) << _DROPPED_BITS) + (1 << _DROPPED_BITS - 1)).view(np.float32)
_CLIPPED = np.linspace(0.2, 1.0, 41)  # shares of the largest value that are tried as the range


@dataclass(frozen=True, slots=True, eq=False)
class Observed:
    """The magnitudes of one value of a graph, over many inputs.

    Attributes:
        counts: How many in each bin, shape (65536,).
        largest: Of each channel, the last axis.
    """

    counts: NDArray[np.int64]
    largest: NDArray[np.float32]

    def range(self) -> float:
        """The largest magnitude to represent, so that rounding and clipping together err least in the mean square."""
        if not self.largest.any():
            return 1.0  # a scale must be positive
        present = np.flatnonzero(self.counts)
        values, counts = _MIDDLES[present].astype(np.float64), self.counts[present]
        candidates = float(self.largest.max()) * _CLIPPED
        errors = [_squared_error(values, counts, top / LEVELS) for top in candidates]
        return float(candidates[int(np.argmin(errors))])


def observe(graph: onnx.ModelProto, values: Collection[str], feeds: Iterable[Feed]) -> dict[str, Observed]:
    """Run a graph and count.

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
    seen: dict[str, Observed] = {}
    for feed in feeds:
        for name, array in zip(values, session.run(list(values), dict(feed)), strict=True):
            one = _observed(array)
            if name in seen:
                one = Observed(seen[name].counts + one.counts, np.maximum(seen[name].largest, one.largest))
            seen[name] = one
    return seen


def _observed(array: NDArray[np.float32]) -> Observed:
    magnitudes = np.abs(np.ascontiguousarray(array))
    bins = magnitudes.view(np.uint32).ravel() >> _DROPPED_BITS
    return Observed(np.bincount(bins, minlength=_BINS), magnitudes.reshape(-1, array.shape[-1]).max(axis=0))


def _squared_error(values: NDArray[np.float64], counts: NDArray[np.int64], scale: float) -> float:
    rounded = np.minimum(np.round(values / scale), LEVELS) * scale
    return float(np.dot(counts, (rounded - values) ** 2))
