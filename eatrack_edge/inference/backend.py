"""The protocol of a backend: what executes the two graphs of a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from eatrack_edge.core.crops import Frame
from eatrack_edge.core.model_spec import ModelSpec


class Maps(NamedTuple):
    """The track graph's outputs for one frame, without their batch axis. Valid until the next ``infer``."""

    score_map: NDArray[np.float32]  # (F, F), probability that the target's centre is in the cell
    offset_map: NDArray[np.float32]  # (2, F, F), centre within its cell, (dx, dy) in cells
    size_map: NDArray[np.float32]  # (2, F, F), (w, h) as a fraction of the search crop
    search_tokens: NDArray[np.float32]  # (F*F, dim), Stage 1's, row-major


class InferTiming(NamedTuple):
    """Where the latest ``infer`` spent its time, in milliseconds; ``nan`` for what cannot be measured apart."""

    copy_in: float  # the search crop, to where the engine reads it
    run: float  # the track graph
    copy_out: float  # the maps, to where the host reads them; 0 where the engine writes them there


class Backend(Protocol):
    """Holds the template slots and runs both graphs.

    Template tokens stay with the backend, on the GPU where there is one, so no frame copies them.
    """

    name: str
    """Engine and what it runs on, e.g. ``onnxruntime (CPU)``."""
    model_spec: ModelSpec
    """Of the graphs that were loaded."""
    timing_ms: InferTiming
    """Of the latest ``infer``."""
    note: str
    """What it lacks that was wanted, in one line, such as a GPU that did not answer; empty where there is nothing."""

    def encode_template(self, crop: Frame, extent: tuple[float, float], slots: Sequence[int]) -> None:
        """Run the template graph and keep its tokens.

        Args:
            crop: Shape (Z, Z, 3), BGR uint8.
            extent: Width and height of the target's box as fractions of the crop.
            slots: Where to keep them; with a foreground embedding each slot has tokens of its own.
        """
        ...

    def infer(self, search: Frame) -> Maps:
        """Run the track graph on a search crop (X, X, 3), BGR uint8, with the tokens kept."""
        ...

    def close(self) -> None:
        """Free the graphs and their memory. The backend cannot be used afterwards."""
        ...
