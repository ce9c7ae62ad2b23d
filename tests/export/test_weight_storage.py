from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnx
import pytest
from onnx import TensorProto, numpy_helper

from eatrack_edge.export.fp16 import to_half
from eatrack_edge.export.weight_storage import own_weights, share_weights
from eatrack_edge.inference.onnxruntime import OnnxRuntimeBackend

if TYPE_CHECKING:
    from eatrack_edge.export.recipe import Plan

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def shared(tiny: Plan, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    from eatrack_edge.export.write import export

    template, track, weights = export(tiny, tmp_path_factory.mktemp("shared"), shared=True).files
    return template, track, weights


def weights(graph: onnx.ModelProto) -> dict[str, np.ndarray]:
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.graph.initializer}


def test_a_graph_that_owns_its_weights_again_is_the_one_that_shared_them(shared: tuple[Path, Path, Path]) -> None:
    graph = onnx.load(shared[1])
    own_weights(graph)
    assert not [node for node in graph.graph.node if node.op_type == "Cast" and node.input[0].endswith(":half")]
    again = onnx.load(shared[1])
    own_weights(again)
    share_weights(again, shared[2])
    assert again.graph == onnx.load(shared[1], load_external_data=False).graph
    assert all(values.dtype != np.float16 for values in weights(graph).values())


def test_graphs_in_half_precision_share_the_same_weights_file(shared: tuple[Path, Path, Path], tmp_path: Path) -> None:
    shutil.copy(shared[2], tmp_path)
    paths = []
    for path in shared[:2]:
        graph = onnx.load(path)
        own_weights(graph)
        graph = to_half(graph)
        share_weights(graph, shared[2])
        inside = [t for t in graph.graph.initializer if t.data_location != TensorProto.EXTERNAL]
        # The other one is the edges of the cells that marks are for.
        constants = ("normalise.", "backbone.foreground_embedding.lifted_tensor")
        assert all(tensor.name.startswith(constants) or np.prod(tensor.dims) <= 1 for tensor in inside)
        paths.append(tmp_path / f"half.{path.name.split('.', 1)[1]}")
        onnx.save(graph, paths[-1])
        onnx.checker.check_model(str(paths[-1]), full_check=True)
    search = np.random.default_rng(0).integers(0, 256, (128, 128, 3), dtype=np.uint8)
    maps = []
    for pair in (shared[:2], paths):
        backend = OnnxRuntimeBackend(*pair)
        backend.encode_template(search[:64, :64], (0.5, 0.5), [0, 1])
        maps.append(backend.infer(search).score_map.copy())
    np.testing.assert_allclose(maps[0], maps[1], atol=2e-3)


def test_a_weight_that_was_changed_stays_the_graphs_own(shared: tuple[Path, Path, Path]) -> None:
    graph = onnx.load(shared[1])
    own_weights(graph)
    half = to_half(graph)
    changed = max(half.graph.initializer, key=lambda tensor: len(tensor.raw_data))
    changed.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(changed) + np.float16(0.01), changed.name))
    share_weights(half, shared[2])
    kept = {tensor.name: tensor for tensor in half.graph.initializer}[changed.name]
    assert kept.data_location != TensorProto.EXTERNAL
