from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from eatrack_edge.core.errors import EngineMismatch, InputError
from eatrack_edge.core.model_spec import ModelSpec
from eatrack_edge.inference.tensorrt.manifest import (
    Fingerprint,
    Manifest,
    check_file,
    check_fit,
    engine_home,
    engine_paths,
    graph_sha256,
    manifest_path,
    read_manifest,
    write_manifest,
)

ORIN = Fingerprint("10.3.0", "12.6", "8.7", "Orin", "p3767-0005", "6.2")
COMMAND = "eatrack-edge build eatrack_s --precision fp16"


@pytest.fixture
def engine(tmp_path: Path) -> Path:
    path = tmp_path / "eatrack_s.fp16.track.engine"
    path.write_bytes(b"an engine")
    return path


@pytest.fixture
def manifest() -> Manifest:
    return Manifest(
        model_spec=ModelSpec("eatrack_s", 384, 128, 256, 2).to_metadata(),
        precision="fp16",
        checkpoint_sha256="a" * 64,
        graph_sha256="b" * 64,
        engine_sha256=hashlib.sha256(b"an engine").hexdigest(),
        fingerprint=ORIN,
        built_at="2026-11-22T22:40:00Z",
        command=COMMAND,
        builds=3,
        latencies_ms=(6.5, 6.75, 7.0),
        parity={"score_map": 2.5e-3},
        tool_version="0.1.0",
    )


def test_a_manifest_is_read_back_as_it_was_written(engine: Path, manifest: Manifest) -> None:
    assert write_manifest(engine, manifest).name == "eatrack_s.fp16.track.engine.json"
    assert read_manifest(engine) == manifest


def test_a_manifest_gives_back_the_model_spec(engine: Path, manifest: Manifest) -> None:
    write_manifest(engine, manifest)
    assert ModelSpec.from_metadata(read_manifest(engine).model_spec, str(engine)).search_size == 256


def test_a_missing_manifest_is_named_with_the_command_that_makes_it(engine: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_manifest(engine)
    assert str(caught.value) == (
        f"{engine}: has no manifest, eatrack_s.fp16.track.engine.json, beside it\n"
        "hint: build it on this machine, which writes both: eatrack-edge build eatrack_s"
    )


def test_a_manifest_of_another_schema_is_refused(engine: Path, manifest: Manifest) -> None:
    write_manifest(engine, replace(manifest, schema="eatrack-edge-engine/9"))
    with pytest.raises(InputError, match=r"`schema` is 'eatrack-edge-engine/9', this version reads 'eatrack-edge-eng"):
        read_manifest(engine)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param(lambda text: text[: len(text) // 2], "is no manifest: JSONDecodeError", id="cut in half"),
        pytest.param(lambda _: b"[]", "is no manifest: AttributeError", id="not a table"),
        pytest.param(lambda _: b"\xff\xfe", "is no manifest: UnicodeDecodeError", id="not text"),
        pytest.param(
            lambda text: text.replace(b'"precision"', b'"prescision"'), "KeyError.*precision", id="a key is missing"
        ),
        pytest.param(lambda text: text.replace(b'"sm"', b'"cc"'), "is no manifest: TypeError", id="odd fingerprint"),
    ],
)
def test_a_damaged_manifest_is_refused(engine: Path, manifest: Manifest, change: Any, reason: str) -> None:
    path = write_manifest(engine, manifest)
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(InputError, match=rf"track\.engine\.json: .*{reason}"):
        read_manifest(engine)


def test_a_model_spec_that_is_no_table_is_refused(engine: Path, manifest: Manifest) -> None:
    path = write_manifest(engine, manifest)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"model_spec": "eatrack_s"}))
    with pytest.raises(InputError, match="`model_spec` must be dict"):
        read_manifest(engine)


def test_the_engine_that_was_built_is_accepted(engine: Path, manifest: Manifest) -> None:
    check_file(engine, manifest)
    check_fit(engine, manifest, ORIN)


@pytest.mark.parametrize("data", [b"an engin", b"an enginE", b""], ids=["truncated", "one bit flipped", "empty"])
def test_another_byte_is_found_by_its_hash(engine: Path, manifest: Manifest, data: bytes) -> None:
    engine.write_bytes(data)
    with pytest.raises(InputError) as caught:
        check_file(engine, manifest)
    found = hashlib.sha256(data).hexdigest()[:12]
    assert str(caught.value) == (
        f"{engine}: damaged or replaced: sha256 {found}, its manifest says {manifest.engine_sha256[:12]}\n"
        f"hint: build it again: {COMMAND}"
    )


def test_a_missing_engine_is_named(tmp_path: Path, manifest: Manifest) -> None:
    with pytest.raises(InputError, match=r"x\.engine: no such engine\nhint: build it: eatrack-edge build eatrack_s"):
        check_file(tmp_path / "x.engine", manifest)


@pytest.mark.parametrize(
    ("here", "said"),
    [
        pytest.param(replace(ORIN, tensorrt="10.16.1"), "compute 8.7 with TensorRT 10.16.1", id="another TensorRT"),
        pytest.param(replace(ORIN, sm="8.9"), "compute 8.9 with TensorRT 10.3.0", id="another GPU"),
    ],
)
def test_an_engine_for_another_machine_names_both_sides(
    engine: Path, manifest: Manifest, here: Fingerprint, said: str
) -> None:
    with pytest.raises(EngineMismatch) as caught:
        check_fit(engine, manifest, here)
    assert str(caught.value) == (
        f"{engine}: was built for compute 8.7 with TensorRT 10.3.0, this machine has {said}\n"
        f"hint: rebuild it on this machine: {COMMAND}"
    )


def test_another_driver_or_board_of_the_same_kind_is_no_mismatch(engine: Path, manifest: Manifest) -> None:
    check_fit(engine, manifest, replace(ORIN, cuda="12.8", gpu="Orin (nvgpu)", board="p3767-0000", jetpack="6.1"))


def test_an_engine_of_another_graph_is_a_mismatch(engine: Path, manifest: Manifest, tmp_path: Path) -> None:
    graph = tmp_path / "eatrack_s.fp16.track.onnx"
    graph.write_bytes(b"a graph")
    found = hashlib.sha256(b"a graph").hexdigest()
    check_fit(engine, replace(manifest, graph_sha256=found), ORIN, graph=graph)
    with pytest.raises(EngineMismatch) as caught:
        check_fit(engine, manifest, ORIN, graph=graph)
    assert str(caught.value) == (
        f"{engine}: was built from a graph with sha256 bbbbbbbbbbbb, eatrack_s.fp16.track.onnx has {found[:12]}\n"
        f"hint: rebuild it: {COMMAND}"
    )


def test_a_graphs_hash_covers_the_file_that_holds_its_weights(tmp_path: Path) -> None:
    graph, weights = tmp_path / "a.onnx", tmp_path / "a.safetensors"
    graph.write_bytes(b"...\x0a\x08location\x12\x0da.safetensors...")  # as protobuf writes an external tensor
    weights.write_bytes(b"1")
    before = graph_sha256(graph)
    weights.write_bytes(b"2")
    assert graph_sha256(graph) != before


def test_the_bundled_graphs_hash_covers_the_bundled_weights(tmp_path: Path) -> None:
    from eatrack_edge.core.resources import DEFAULT_MODEL, bundled

    graph = bundled(f"{DEFAULT_MODEL}.track.onnx")
    assert graph is not None
    (tmp_path / graph.name).write_bytes(graph.read_bytes())
    with pytest.raises(InputError, match=rf"{DEFAULT_MODEL}\.safetensors: cannot be read: No such file"):
        graph_sha256(tmp_path / graph.name)


def test_float32_has_no_precision_in_its_name(tmp_path: Path) -> None:
    assert [path.name for path in engine_paths("a", "fp32", tmp_path)] == ["a.template.engine", "a.track.engine"]
    assert engine_paths("a", "int8", tmp_path)[1] == tmp_path / "a.int8.track.engine"


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        pytest.param({"EATRACK_HOME": "/e", "XDG_CACHE_HOME": "/x"}, "/e/engines", id="our own leads"),
        pytest.param({"XDG_CACHE_HOME": "/x"}, "/x/eatrack-edge/engines", id="then the XDG cache"),
        pytest.param({}, "/h/.cache/eatrack-edge/engines", id="then the home folder"),
    ],
)
def test_engines_live_in_one_place(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], expected: str) -> None:
    for name in ("EATRACK_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in ({"HOME": "/h"} | environment).items():
        monkeypatch.setenv(name, value)
    assert engine_home() == Path(expected)


def test_the_manifest_lies_beside_its_engine() -> None:
    assert manifest_path(Path("e/a.track.engine")) == Path("e/a.track.engine.json")
