from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from eatrack_edge import __version__
from eatrack_edge.core.errors import GateFailed, OutputError
from eatrack_edge.core.model_spec import ModelSpec
from eatrack_edge.export import parity
from eatrack_edge.export.recipe import plan
from eatrack_edge.export.write import Exported, export
from eatrack_edge.inference.onnxruntime import OnnxRuntimeBackend
from eatrack_edge.model.checkpoints import build, write_checkpoint
from eatrack_edge.model.eatrack import EATrack
from eatrack_edge.model.registry import architecture
from model.embedding_weights import draw_foreground_embedding

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(3)
    path = tmp_path_factory.mktemp("weights") / "mine.safetensors"
    network = draw_foreground_embedding(EATrack(architecture("eatrack_tiny")))
    for module in network.modules():  # batch norm that does something, so that folding it is tested
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
    write_checkpoint(path, network, {"model": "eatrack_tiny"}, half=False)
    return path


@pytest.fixture(scope="module")
def exported(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    return export(plan(str(checkpoint)), tmp_path_factory.mktemp("graphs"))


@pytest.fixture(scope="module")
def shared(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    return export(plan(str(checkpoint)), tmp_path_factory.mktemp("shared"), shared=True)


def operators(path: Path) -> set[str]:
    return {node.op_type for node in onnx.load(path, load_external_data=False).graph.node}


def test_two_files_are_written_and_nothing_else(exported: Exported) -> None:
    folder = exported.files[0].parent
    assert sorted(path.name for path in folder.iterdir()) == ["mine.template.onnx", "mine.track.onnx"]


def test_every_output_is_within_the_allowance_of_torch(exported: Exported, shared: Exported) -> None:
    for done in (exported, shared):
        assert list(done.differences) == ["template_tokens", "score_map", "offset_map", "size_map", "search_tokens"]
        assert max(done.differences.values()) < parity.ALLOWED


def test_the_two_files_alone_are_enough_to_track(exported: Exported, checkpoint: Path) -> None:
    backend = OnnxRuntimeBackend(*exported.files)
    assert backend.model_spec == plan(str(checkpoint)).model_spec
    assert backend.model_spec.checkpoint_sha256 == hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    assert backend.model_spec.tool_version == __version__
    backend.encode_template(np.zeros((64, 64, 3), np.uint8), (0.5, 0.5), [0, 1])
    assert backend.infer(np.zeros((128, 128, 3), np.uint8)).score_map.shape == (8, 8)


def test_metadata_is_in_both_files(exported: Exported) -> None:
    for path in exported.files:
        metadata = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
        assert ModelSpec.from_metadata(metadata, path.name).cropping.search_factor == 4.0
        assert metadata["channel_order"] == "BGR"


def test_graphs_are_static_opset_17_with_layer_norm_whole(exported: Exported) -> None:
    for path in exported.files:
        graph = onnx.load(path)
        onnx.checker.check_model(graph, full_check=True)
        assert [(entry.domain, entry.version) for entry in graph.opset_import] == [("", 17)]
        assert "LayerNormalization" in operators(path)
        assert all(dim.dim_value > 0 for value in graph.graph.input for dim in value.type.tensor_type.shape.dim)
    assert "BatchNormalization" not in operators(exported.files[1])


def test_every_weight_is_plain_as_quantisation_needs_it(exported: Exported) -> None:
    for path in exported.files:
        graph = onnx.load(path).graph
        weights = {tensor.name for tensor in graph.initializer if len(tensor.dims) > 1}
        assert [
            node.name for node in graph.node if node.op_type in ("Slice", "Transpose") and node.input[0] in weights
        ] == []


def test_gelu_is_written_as_onnx_runtime_finds_it(exported: Exported, shared: Exported, tmp_path: Path) -> None:
    for done in (exported, shared):
        options = onnxruntime.SessionOptions()
        options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
        options.log_severity_level = 3
        onnxruntime.InferenceSession(done.files[1], options, providers=["CPUExecutionProvider"])
        found = operators(tmp_path / "optimised.onnx")
        assert found & {"Gelu", "BiasGelu"}
        assert "Erf" not in found


def test_a_joint_graph_takes_bare_crops_and_answers_the_same(checkpoint: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    search, template = (rng.integers(0, 256, (size, size, 3), dtype=np.uint8) for size in (128, 64))
    maps = []
    for joint in (True, False):
        done = export(plan(str(checkpoint), name=f"joint_{joint}", joint=joint), tmp_path)
        backend = OnnxRuntimeBackend(*done.files)
        backend.encode_template(template, (0.5, 0.5), [0, 1])
        maps.append([part.copy() for part in backend.infer(search)])
        held = [spec.name for spec in backend.model_spec.slot_inputs(0)]
        assert held == (["template_crop_0", "template_crop_extent_0"] if joint else ["template_tokens_0"])
    for ours, theirs in zip(*maps, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_projections_are_kept_where_the_first_joint_block_is_not_the_last(tmp_path: Path) -> None:
    shape = replace(architecture("eatrack_tiny"), joint_blocks=2)
    path = tmp_path / "deeper.safetensors"
    write_checkpoint(path, EATrack(shape), {"model": "eatrack_tiny"}, half=False)
    shallow = plan(str(path))
    assert shallow.model_spec.template_form == "tokens"
    model_spec = replace(shallow.model_spec, template_form="projections")
    done = export(replace(shallow, architecture=shape, model_spec=model_spec), tmp_path)
    assert list(done.differences)[:2] == ["template_tokens", "template_projections"]
    assert OnnxRuntimeBackend(*done.files).model_spec.template_form == "projections"


def test_graphs_carry_no_paths_of_the_machine_that_exported(exported: Exported) -> None:
    for path in exported.files:
        data = path.read_bytes()
        assert str(Path(__file__).parents[2]).encode() not in data
        assert b"site-packages" not in data


def test_shared_weights_are_one_half_precision_file(shared: Exported, exported: Exported) -> None:
    names = ["mine.template.onnx", "mine.track.onnx", "mine.safetensors"]
    assert [path.name for path in shared.files] == names
    assert sum(path.stat().st_size for path in shared.files) < 0.6 * sum(p.stat().st_size for p in exported.files)
    kept_inside = [t.name for t in onnx.load(shared.files[1], load_external_data=False).graph.initializer
                   if not t.external_data and np.prod(t.dims) > 64]  # fmt: skip
    assert kept_inside == []


def test_shared_weights_exported_again_are_the_same_file(shared: Exported, tmp_path: Path) -> None:
    again = export(plan(str(shared.files[2])), tmp_path, shared=True)
    first, second = (onnx.load(files[1], load_external_data=False) for files in (shared.files, again.files))
    assert again.files[2].read_bytes() == shared.files[2].read_bytes()
    assert first.graph == second.graph


def test_a_shared_checkpoint_exports_again_to_the_same_graphs(shared: Exported, tmp_path: Path) -> None:
    again = plan(str(shared.files[2]))
    assert again.model_spec.cropping == OnnxRuntimeBackend(*shared.files[:2]).model_spec.cropping
    done = export(again, tmp_path)
    search = np.random.default_rng(0).integers(0, 256, (128, 128, 3), dtype=np.uint8)
    maps = []
    for files in (shared.files, done.files):
        backend = OnnxRuntimeBackend(*files[:2])
        backend.encode_template(search[:64, :64], (0.5, 0.5), [0, 1])
        maps.append(backend.infer(search).score_map.copy())
    np.testing.assert_allclose(maps[0], maps[1], atol=1e-5)


def test_graphs_that_disagree_with_torch_leave_nothing_behind(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parity, "ALLOWED", 0.0)
    with pytest.raises(GateFailed) as caught:
        export(plan(str(checkpoint)), tmp_path / "out")
    assert "mine: ONNX and torch disagree on `" in caught.value.message
    assert "allowed 0e+00" in caught.value.message
    assert caught.value.exit_code == 4
    assert not (tmp_path / "out").exists()


def test_a_graph_that_answers_no_number_fails_parity(checkpoint: Path, exported: Exported, tmp_path: Path) -> None:
    broken, mine = onnx.load(exported.files[1]), plan(str(checkpoint))
    name = next(node.input[2] for node in reversed(broken.graph.node) if node.op_type == "Conv")
    bias = next(tensor for tensor in broken.graph.initializer if tensor.name == name)
    bias.CopyFrom(onnx.numpy_helper.from_array(np.full(bias.dims, np.nan, np.float32), name))
    onnx.save(broken, tmp_path / "broken.onnx")
    network = build(mine.architecture, mine.checkpoint)
    differences = parity.measure(network, mine.model_spec, exported.files[0], tmp_path / "broken.onnx")
    with pytest.raises(GateFailed, match="max difference nan, allowed 1e-04"):
        parity.check(differences, "mine")


def test_a_folder_that_cannot_be_written_is_named(checkpoint: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="file/graphs: cannot be written: not a directory"):
        export(plan(str(checkpoint)), tmp_path / "file" / "graphs")


@pytest.mark.slow
def test_the_papers_student_exports_within_the_allowance(tmp_path: Path) -> None:
    path = tmp_path / "random.safetensors"
    write_checkpoint(path, EATrack(architecture("eatrack_deit")), {}, half=False)
    done = export(plan(str(path), model="eatrack_deit"), tmp_path)
    assert max(done.differences.values()) < parity.ALLOWED
