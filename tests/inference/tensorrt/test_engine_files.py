from __future__ import annotations

from pathlib import Path

import pytest

from eatrack_edge.core.errors import EngineMismatch, InputError, MachineError, UsageError
from eatrack_edge.core.model_spec import ModelSpec
from eatrack_edge.inference.onnx_metadata import graph_sha256
from eatrack_edge.inference.tensorrt.engine_files import built_engines, is_engine, named_engines
from eatrack_edge.inference.tensorrt.manifest import Fingerprint, Manifest, engine_paths, write_manifest
from engines.onnx_files import model

COMMAND = "eatrack-edge build m --precision fp16"
CHECKPOINT = "c" * 64


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EATRACK_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "engines"


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    """A track graph that names its checkpoint, as its metadata does."""
    path = tmp_path / "exports" / "m.track.onnx"
    path.parent.mkdir()
    path.write_bytes(model({"checkpoint_sha256": CHECKPOINT}))
    return path


def build(
    folder: Path, name: str, precision: str, graph_sha: str = "", checkpoint: str = CHECKPOINT
) -> tuple[Path, Path]:
    """Two files that stand in for engines, with manifests."""
    folder.mkdir(parents=True, exist_ok=True)
    manifest = Manifest(
        model_spec=ModelSpec(name, 384, 128, 256, 2).to_metadata(),
        precision=precision,
        checkpoint_sha256=checkpoint,
        graph_sha256=graph_sha,
        engine_sha256="",
        fingerprint=Fingerprint("10.3.0", "12.6", "8.7", "Orin", "", ""),
        built_at="",
        command=COMMAND,
    )
    pair = engine_paths(name, precision, folder)
    for engine in pair:
        engine.touch()
        write_manifest(engine, manifest)
    return pair


def test_engines_are_found_where_build_puts_them(home: Path, graph: Path) -> None:
    pair = build(home, "m", "fp16")
    assert built_engines(graph) == pair


def test_engines_beside_their_graphs_come_first(home: Path, graph: Path) -> None:
    build(home, "m", "fp16")
    pair = build(graph.parent, "m", "int8")
    assert built_engines(graph) == pair


def test_of_several_precisions_fp16_is_taken_unless_the_name_says_another(home: Path, graph: Path) -> None:
    int8_graph = graph.with_name("m.int8.track.onnx")
    int8_graph.write_bytes(model({"checkpoint_sha256": CHECKPOINT, "precision": "int8"}))
    build(home, "m", "fp32")
    int8 = build(home, "m", "int8", graph_sha=graph_sha256(int8_graph))
    fp16 = build(home, "m", "fp16")
    assert built_engines(graph) == fp16
    assert built_engines(int8_graph) == int8


@pytest.mark.usefixtures("home")
def test_without_an_engine_the_next_step_is_to_build_one(graph: Path) -> None:
    with pytest.raises(MachineError) as caught:
        built_engines(graph)
    assert str(caught.value) == "no engine of `m` is built on this machine\nhint: build one: eatrack-edge build m"


def test_an_engine_of_another_checkpoint_of_that_name_is_refused(home: Path, graph: Path) -> None:
    _, track = build(home, "m", "fp16", checkpoint="d" * 64)
    with pytest.raises(EngineMismatch) as caught:
        built_engines(graph)
    assert str(caught.value) == (
        f"{track}: was built from another checkpoint than m.track.onnx\nhint: rebuild it: {COMMAND}"
    )


def test_an_engine_of_another_graph_is_refused_where_its_own_is_at_hand(home: Path, graph: Path) -> None:
    build(home, "m", "fp32", graph_sha="0" * 64)
    with pytest.raises(EngineMismatch, match=r"from a graph with sha256 000000000000, m\.track\.onnx has"):
        built_engines(graph)
    pair = build(home, "m", "fp32", graph_sha=graph_sha256(graph))
    assert built_engines(graph) == pair


def test_an_engines_file_names_its_pair(tmp_path: Path) -> None:
    pair = engine_paths("m", "fp16", tmp_path)
    assert is_engine(str(pair[0]))
    assert named_engines(pair[0]) == named_engines(str(pair[1])) == pair


def test_another_name_is_no_engine(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=r"an engine is two files, NAME\.template\.engine and NAME\.track\.engine\nhin"
    ):
        named_engines(tmp_path / "m.engine")


def test_a_folder_of_engines_names_the_preferred_of_its_model(tmp_path: Path) -> None:
    build(tmp_path, "m", "fp32")
    pair = build(tmp_path, "m", "fp16")
    assert is_engine(tmp_path)
    assert named_engines(tmp_path) == pair


def test_a_folder_of_several_models_engines_names_none(tmp_path: Path) -> None:
    build(tmp_path, "m", "fp16")
    build(tmp_path, "n", "fp16")
    with pytest.raises(InputError, match="holds engines of 2 models, needs exactly one\nhint: name the file"):
        named_engines(tmp_path)


def test_graphs_are_no_engines(graph: Path) -> None:
    build(graph.parent, "m", "fp16")
    assert not is_engine(graph.parent)
    assert not is_engine(graph)
    assert not is_engine("eatrack_s")
