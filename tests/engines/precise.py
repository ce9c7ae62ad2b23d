"""The bundled graphs in every precision, without torch: what the builder's tests build."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from onnx import version_converter

from eatrack_edge.contract import Contract, stem_of
from eatrack_edge.engines.metadata import read_contract
from eatrack_edge.export.fp16 import to_half
from eatrack_edge.export.int8 import quantise
from eatrack_edge.export.storage import own_weights
from eatrack_edge.material import DEFAULT_MODEL
from eatrack_edge.runtime.load import find_graphs

_HALF_SCALES = 19  # the first opset in which a Q/DQ pair may have float16 on its float side


def all_precisions(work: Path) -> Iterator[tuple[str, onnx.ModelProto, Contract, str]]:
    """File name, graph, contract and precision, of both graphs in all four."""
    for path in find_graphs(DEFAULT_MODEL):
        contract, single = read_contract(path), onnx.load(path)
        own_weights(single)
        is_track = path.name.endswith(".track.onnx")
        suffix = path.name.removeprefix(DEFAULT_MODEL)
        int8 = _quantised(single, contract, work) if is_track else single
        newer = version_converter.convert_version(int8, _HALF_SCALES)
        graphs = {"fp32": single, "fp16": to_half(single), "int8": int8, "int8-fp16": to_half(newer)}
        for precision, graph in graphs.items():
            yield f"{stem_of(DEFAULT_MODEL, precision)}{suffix}", graph, contract, precision


def _quantised(single: onnx.ModelProto, contract: Contract, work: Path) -> onnx.ModelProto:
    source, rng = work / "single.onnx", np.random.default_rng(0)
    onnx.save(single, source)
    feeds = [
        {
            spec.name: rng.integers(0, 256, spec.shape, np.uint8)
            if spec.dtype == "uint8"
            else rng.standard_normal(spec.shape, np.float32)
            for spec in contract.track_inputs()
        }
        for _ in range(2)
    ]
    graph = quantise(source, feeds, work / "quantised.onnx")
    source.unlink()
    (work / "quantised.onnx").unlink()
    return graph
