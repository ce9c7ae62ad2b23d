"""Which engines are refused, on a simulated TensorRT but for the last test."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from eatrack_edge.core.errors import EngineMismatch, InputError, MachineError
from eatrack_edge.core.model_spec import ModelSpec
from eatrack_edge.inference.onnxruntime import OnnxRuntimeBackend
from eatrack_edge.inference.tensorrt import error_log as tensorrt_log
from eatrack_edge.inference.tensorrt.backend import TensorRTBackend
from eatrack_edge.inference.tensorrt.engine import Engine
from inference import simulated_tensorrt
from inference.conftest import Write
from inference.simulated_tensorrt import COMMAND, HERE, Fate


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        pytest.param(
            {"changes": {"search": {"shape": (320, 320, 3)}}},
            "input `search` is (320, 320, 3) uint8, its manifest says (256, 256, 3) uint8",
            id="a shape",
        ),
        pytest.param(
            {"changes": {"score_map": {"dtype": "HALF"}}},
            "output `score_map` is (1, 1, 16, 16) half, its manifest says (1, 1, 16, 16) float32",
            id="a dtype",
        ),
        pytest.param(
            {"lacks": ("size_map",)},
            "output `size_map` is absent, its manifest says (1, 2, 16, 16) float32",
            id="a missing tensor",
        ),
        pytest.param(
            {"changes": {"size_map": {"name": "extent_map"}}},
            "output `extent_map` is (1, 2, 16, 16) float32, its manifest says absent",
            id="a tensor too many",
        ),
    ],
)
@pytest.mark.usefixtures("fate")
def test_an_engine_that_is_not_what_its_manifest_says_is_refused(
    write: Write, wrong: dict[str, Any], message: str
) -> None:
    engines = write(**wrong)
    with pytest.raises(EngineMismatch) as caught:
        TensorRTBackend(*engines)
    assert str(caught.value) == f"{engines[1]}: {message}\nhint: rebuild it: {COMMAND}"


@pytest.mark.usefixtures("fate")
def test_engines_given_in_the_wrong_order_are_refused(write: Write) -> None:
    template, track = write()
    with pytest.raises(EngineMismatch, match=r"track\.engine: input `search` is .* its manifest says absent"):
        TensorRTBackend(track, template)


def test_engines_of_two_exports_are_refused_before_they_are_loaded(
    fate: Fate, write: Write, reference: OnnxRuntimeBackend
) -> None:
    engines = write(model_spec=replace(reference.model_spec, checkpoint_sha256="0" * 64))
    with pytest.raises(InputError) as caught:
        TensorRTBackend(*engines)
    assert str(caught.value) == (
        f"m.template.engine and m.track.engine come from different exports\nhint: build both again: {COMMAND}"
    )
    assert not fate.loaded


def test_an_engine_of_another_machine_is_refused_before_it_is_loaded(fate: Fate, write: Write) -> None:
    engines = write(fingerprint=replace(HERE, tensorrt="10.16.1", sm="8.9"))
    with pytest.raises(EngineMismatch, match=r"was built for compute 8\.9 with TensorRT 10\.16\.1, this machine has"):
        TensorRTBackend(*engines)
    assert not fate.loaded


def test_a_damaged_engine_is_refused_before_it_is_loaded(fate: Fate, write: Write) -> None:
    engines = write()
    engines[1].write_bytes(engines[1].read_bytes()[:-1])
    with pytest.raises(InputError, match="damaged or replaced"):
        TensorRTBackend(*engines)
    assert not fate.loaded


def test_an_engine_that_tensorrt_refuses_is_named_with_its_first_reason(fate: Fate, write: Write) -> None:
    fate.refuses_engine = True
    engines = write()
    with pytest.raises(EngineMismatch) as caught:
        TensorRTBackend(*engines)
    assert str(caught.value) == (
        f"{engines[0]}: TensorRT 10.3.0 refuses it: deserializeCudaEngine: magicTag assertion failed\n"
        f"hint: rebuild it on this machine: {COMMAND}"
    )


def test_an_engine_without_room_to_run_is_named(fate: Fate, write: Write) -> None:
    fate.refuses_context = True
    with pytest.raises(MachineError, match=r"cannot be made ready to run: createExecutionContext: out of memory\nhint"):
        TensorRTBackend(*write())


def test_an_address_that_is_refused_names_its_tensor(fate: Fate, write: Write) -> None:
    fate.refuses_address = "search"
    with pytest.raises(
        MachineError, match=r"track\.engine: `search` cannot lie at 0x[0-9a-f]+: set_tensor_address: pa"
    ):
        TensorRTBackend(*write())


def test_the_simulated_tensorrt_has_only_what_10_3_and_11_4_share() -> None:
    common = {
        "num_io_tensors", "get_tensor_name", "get_tensor_mode", "get_tensor_shape", "get_tensor_dtype",
        "create_execution_context", "set_tensor_address", "execute_async_v3",
    }  # fmt: skip
    kinds = (simulated_tensorrt.SimulatedEngine, simulated_tensorrt.SimulatedContext)
    assert {name for kind in kinds for name in vars(kind) if not name.startswith("_")} == common


@pytest.mark.trt
def test_the_genuine_api_refuses_what_is_no_engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "tensorrt", pytest.importorskip("tensorrt_rtx"))
    tensorrt_log.logger.cache_clear()
    model_spec = ModelSpec("m", 384, 128, 256, 2)
    (tmp_path / "m.track.engine").write_bytes(b"no engine" * 100)
    with pytest.raises(
        EngineMismatch, match=r"m\.track\.engine: TensorRT [\d.]+ refuses it: .*Serialization.*\nhint: rebuil"
    ):
        Engine(tmp_path / "m.track.engine", model_spec.track_inputs(), model_spec.track_outputs(), rebuild=COMMAND)
