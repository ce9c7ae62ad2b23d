"""Measures how much each layer loses in INT8, one at a time, on crops that were not used for calibration."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from eatrack_edge.core.boxes import iou
from eatrack_edge.core.imports import require
from eatrack_edge.core.model_spec import ModelSpec
from eatrack_edge.export.activation_ranges import Feed
from eatrack_edge.export.int8 import int8_nodes, layer_names, restore
from eatrack_edge.inference.onnxruntime import HARMFUL_OPTIMIZERS

# A layer with a larger error of either kind stays in float: the score map gives the peak, the box is read at the peak.
# Errors of layers add up, and float costs time: these limits leave an eighth of EATrack-S's work in float.
LARGEST_SCORE_ERROR = 0.0025
LARGEST_BOX_ERROR = 0.0025
CROPS = 16  # more did not change the order of the layers

Outputs = dict[str, NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """Error of a graph with one layer in INT8 and all others in float32, against all in float32.

    Attributes:
        layer: Its name in the checkpoint.
        operator: MatMul, Conv or Gemm.
        box_error: One minus the mean overlap of the boxes read at float32's best score-map location, [0, 1].
        score_error: Mean over the crops of the largest difference of the score map, [0, 1].
    """

    layer: str
    operator: str
    box_error: float
    score_error: float

    @property
    def stays_float(self) -> bool:
        """Whether the layer is left in float."""
        return self.box_error > LARGEST_BOX_ERROR or self.score_error > LARGEST_SCORE_ERROR

    def row(self) -> dict[str, Any]:
        """The values for a JSON file."""
        errors = {"box_error": round(self.box_error, 5), "score_error": round(self.score_error, 5)}
        return asdict(self) | errors | {"stays_float": self.stays_float}


def measure(
    graph: onnx.ModelProto,
    quantised: onnx.ModelProto,
    model_spec: ModelSpec,
    feeds: Sequence[Feed],
    on_layer: Callable[[int, int], None] = lambda _done, _of: None,
) -> dict[str, Sensitivity]:
    """Measure every layer that is in INT8.

    Args:
        graph: The track graph in float32.
        quantised: What ``int8.quantise`` made of it.
        model_spec: Of the graph.
        feeds: Inputs that were not used for calibration.
        on_layer: Called with the number of layers done and of all.

    Returns:
        By the name of the node, the most sensitive first.
    """
    tried = int8_nodes(quantised)
    names = {node: layer for node, layer in layer_names(graph).items() if node in tried}
    operators = {node.name: node.op_type for node in graph.graph.node}
    expected = run(graph, model_spec, feeds)
    measured: dict[str, Sensitivity] = {}
    for done, (node, layer) in enumerate(names.items(), start=1):
        alone = restore(quantised, graph, names.keys() - {node})
        got = run(alone, model_spec, feeds)
        measured[node] = Sensitivity(layer, operators[node], *errors(got, expected))
        on_layer(done, len(names))
    return dict(sorted(measured.items(), key=lambda item: -max(item[1].box_error, item[1].score_error)))


def run(graph: onnx.ModelProto, model_spec: ModelSpec, feeds: Sequence[Feed]) -> list[Outputs]:
    """Run a track graph on ONNX Runtime with INT8 simulated: the accuracy is that of any machine with INT8."""
    runtime = require("onnxruntime", to="measure a graph")
    options = runtime.SessionOptions()
    options.log_severity_level = 3
    # Above this level the pairs of Q and DQ are fused into kernels of this processor, some of which saturate.
    options.graph_optimization_level = runtime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    session = runtime.InferenceSession(
        graph.SerializeToString(),
        options,
        providers=["CPUExecutionProvider"],
        disabled_optimizers=list(HARMFUL_OPTIMIZERS),
    )
    names = [spec.name for spec in model_spec.track_outputs()]
    return [dict(zip(names, session.run(names, dict(feed)), strict=True)) for feed in feeds]


def errors(got: Sequence[Outputs], expected: Sequence[Outputs]) -> tuple[float, float]:
    """Box and score error of one graph's maps against another's, crop by crop; see ``Sensitivity``."""
    overlaps, scores = [], []
    for ours, theirs in zip(got, expected, strict=True):
        # At the same score-map location for both: between two equal peaks the choice is arbitrary.
        cell = int(np.argmax(theirs["score_map"]))
        overlaps.append(float(iou(_box(ours, cell)[None], _box(theirs, cell)[None])[0]))
        scores.append(float(np.abs(ours["score_map"] - theirs["score_map"]).max()))
    return 1 - float(np.mean(np.nan_to_num(overlaps))), float(np.mean(scores))


def _box(outputs: Outputs, cell: int) -> NDArray[np.float64]:
    """The box at a score-map location, in cells, (x, y, w, h)."""
    grid = outputs["score_map"].shape[-1]
    row, column = divmod(cell, grid)
    centre = outputs["offset_map"][0, :, row, column] + np.array([column, row])
    size = np.maximum(outputs["size_map"][0, :, row, column] * grid, 1e-6)
    return np.concatenate([centre - size / 2, size])
