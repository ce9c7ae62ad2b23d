"""Builds the inputs of the two graphs, by name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from eatrack_edge.core.crops import Frame
from eatrack_edge.core.imports import require
from eatrack_edge.core.model_spec import ModelSpec
from eatrack_edge.export.calibration_crops import Pair


def template_feed(model_spec: ModelSpec, crop: Frame, extent: tuple[float, float], slot: int) -> dict[str, Any]:
    """Inputs of the template graph.

    Args:
        model_spec: Of the graph.
        crop: Shape (Z, Z, 3), BGR.
        extent: Width and height of the target's box as fractions of the crop.
        slot: The template slot that it is for.
    """
    values = (crop, np.array([extent], np.float32), np.array([slot], np.int32))
    # A graph without a foreground embedding takes the crop alone.
    return {spec.name: value for spec, value in zip(model_spec.template_inputs(), values, strict=False)}


def template_feeds(pairs: Sequence[Pair], model_spec: ModelSpec) -> Iterator[dict[str, Any]]:
    """Inputs of the template graph for each pair, slot by slot."""
    for pair in pairs:
        for slot, (crop, extent) in enumerate(zip(pair.templates, pair.extents, strict=True)):
            yield template_feed(model_spec, crop, extent, slot)


def track_feeds(pairs: Sequence[Pair], model_spec: ModelSpec, template_graph: Path) -> Iterator[dict[str, Any]]:
    """Inputs of the track graph for each pair; the template graph is run on ONNX Runtime.

    Args:
        pairs: Crops.
        model_spec: Of the graphs.
        template_graph: The ONNX file.
    """
    runtime = require("onnxruntime", to="run the template graph")
    session = runtime.InferenceSession(template_graph, providers=["CPUExecutionProvider"])
    outputs = [spec.name for spec in model_spec.template_outputs()]
    for pair in pairs:
        feed: dict[str, Any] = {model_spec.track_inputs()[0].name: pair.search}
        for slot, wanted in enumerate(template_feeds([pair], model_spec)):
            values = session.run(outputs, wanted)
            feed |= dict(zip((spec.name for spec in model_spec.slot_inputs(slot)), values, strict=True))
        yield feed
