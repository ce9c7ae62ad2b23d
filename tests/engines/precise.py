"""The bundled graphs in every precision, without torch: what the builder's tests build."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from onnx import version_converter

from eatrack_edge.core.model_spec import ModelSpec, stem_of
from eatrack_edge.core.resources import DEFAULT_MODEL
from eatrack_edge.export.fp16 import to_half
from eatrack_edge.export.int8 import quantise
from eatrack_edge.export.weight_storage import own_weights
from eatrack_edge.inference.model_files import find_graphs
from eatrack_edge.inference.onnx_metadata import read_model_spec

_HALF_SCALES = 19  # the first opset in which a Q/DQ pair may have float16 on its float side


def all_precisions(work: Path) -> Iterator[tuple[str, onnx.ModelProto, ModelSpec, str]]:
    """File name, graph, model specification and precision, of both graphs in all four."""
    for path in find_graphs(DEFAULT_MODEL):
        model_spec, single = read_model_spec(path), onnx.load(path)
        own_weights(single)
        is_track = path.name.endswith(".track.onnx")
        suffix = path.name.removeprefix(DEFAULT_MODEL)
        int8 = _quantised(single, model_spec, work) if is_track else single
        newer = version_converter.convert_version(int8, _HALF_SCALES)
        graphs = {"fp32": single, "fp16": to_half(single), "int8": int8, "int8-fp16": to_half(newer)}
        for precision, graph in graphs.items():
            yield f"{stem_of(DEFAULT_MODEL, precision)}{suffix}", graph, model_spec, precision


def _quantised(single: onnx.ModelProto, model_spec: ModelSpec, work: Path) -> onnx.ModelProto:
    source, rng = work / "single.onnx", np.random.default_rng(0)
    onnx.save(single, source)
    feeds = [
        {
            spec.name: rng.integers(0, 256, spec.shape, np.uint8)
            if spec.dtype == "uint8"
            else rng.standard_normal(spec.shape, np.float32)
            for spec in model_spec.track_inputs()
        }
        for _ in range(2)
    ]
    graph = quantise(source, feeds, work / "quantised.onnx")
    source.unlink()
    (work / "quantised.onnx").unlink()
    return graph
