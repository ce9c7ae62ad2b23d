"""A simulated TensorRT: the calls that 10.3 and 11.4 share, on a simulated device, with ONNX Runtime inside."""

from __future__ import annotations

import ctypes
import hashlib
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnxruntime
import pytest

from eatrack_edge.core.io import sha256
from eatrack_edge.core.model_spec import ModelSpec
from eatrack_edge.inference.onnx_metadata import graph_sha256
from eatrack_edge.inference.tensorrt import backend as backend_module
from eatrack_edge.inference.tensorrt import error_log as tensorrt_log
from eatrack_edge.inference.tensorrt.manifest import Fingerprint, Manifest, write_manifest
from inference.simulated_cuda import SimulatedDevice

HERE = Fingerprint("10.3.0", "12.6", "8.7", "Orin", "p3767-0005", "6.2")
COMMAND = "eatrack-edge build eatrack_s"
_SEEN: dict[str, dict[str, Any]] = {}
_NAMES = {"tensor(uint8)": "UINT8", "tensor(int32)": "INT32", "tensor(float)": "FLOAT"}


class ILogger:
    Severity = Enum("Severity", "INTERNAL_ERROR ERROR WARNING INFO VERBOSE")
    is_initialised = False  # pybind11 refuses an object of a derived class that leaves this out

    def __init__(self) -> None:
        self.is_initialised = True


TensorIOMode = Enum("TensorIOMode", "NONE INPUT OUTPUT")
DataType = Enum("DataType", "UINT8 INT32 FLOAT HALF")


@dataclass
class Tensor:
    name: str
    mode: Any
    shape: tuple[int, ...]
    dtype: str  # TensorRT's name


@dataclass
class Fate:
    """What goes wrong, and what was asked of TensorRT."""

    refuses_engine: bool = False
    refuses_context: bool = False
    refuses_address: str = ""  # a tensor's name
    executes: Iterator[bool] = field(default_factory=lambda: iter(lambda: True, False))
    bound: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)


class SimulatedContext:
    def __init__(self, engine: SimulatedEngine) -> None:
        self._engine = engine
        self._addresses: dict[str, int] = {}

    def set_tensor_address(self, name: str, address: int) -> bool:
        fate = self._engine.fate
        fate.bound.append(name)
        if name == fate.refuses_address:
            fate_log("set_tensor_address: parameter check failed")
            return False
        assert address % 256 == 0, "TensorRT asks for addresses that are multiples of 256"
        self._addresses[name] = address
        return True

    def execute_async_v3(self, stream_handle: int) -> bool:
        if not next(self._engine.fate.executes):
            fate_log("enqueueV3: Error Code 1:\n  Cask convolution")
            return False
        self._engine.device.queue(stream_handle, lambda addresses=dict(self._addresses): self._run(addresses))
        return True

    def _run(self, addresses: Mapping[str, int]) -> None:
        tensors = self._engine.tensors
        feed = [(each.name, _at(addresses[each.name], each)) for each in tensors if each.mode is TensorIOMode.INPUT]
        outputs = [each for each in tensors if each.mode is TensorIOMode.OUTPUT]
        answers = _answers(self._engine.graph, feed)
        for tensor in outputs:
            np.copyto(_at(addresses[tensor.name], tensor), answers[tensor.name])


class SimulatedEngine:
    def __init__(self, note: Mapping[str, Any], device: SimulatedDevice, fate: Fate) -> None:
        self.device, self.fate = device, fate
        self.graph = note["graph"]
        self.tensors = _tensors(_session(self.graph))
        for name, changes in note["changes"].items():
            self.tensors = [replace(each, **changes) if each.name == name else each for each in self.tensors]
        self.tensors = [each for each in self.tensors if each.name not in note["lacks"]]
        if note["is_reversed"]:
            self.tensors.reverse()

    @property
    def num_io_tensors(self) -> int:
        return len(self.tensors)

    def get_tensor_name(self, index: int) -> str:
        return self.tensors[index].name

    def get_tensor_mode(self, name: str) -> Any:
        return self._tensor(name).mode

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        return self._tensor(name).shape

    def get_tensor_dtype(self, name: str) -> Any:
        return DataType[self._tensor(name).dtype]

    def create_execution_context(self) -> SimulatedContext | None:
        if self.fate.refuses_context:
            fate_log("createExecutionContext: out of memory")
            return None
        return SimulatedContext(self)

    def _tensor(self, name: str) -> Tensor:
        return next(each for each in self.tensors if each.name == name)


def install(monkeypatch: pytest.MonkeyPatch, device: SimulatedDevice) -> Fate:
    """Let TensorRT be installed, on a machine that is ``HERE``."""
    fate = Fate()

    class Runtime:
        def __init__(self, log: Any) -> None:
            assert log is tensorrt_log.logger()
            assert log.is_initialised

        def deserialize_cuda_engine(self, data: bytes) -> SimulatedEngine | None:
            if fate.refuses_engine:
                fate_log("deserializeCudaEngine: magicTag assertion failed")
                fate_log("a second fault, which follows from the first")
                return None
            note = json.loads(data)
            fate.loaded.append(Path(note["graph"]).name)
            return SimulatedEngine(note, device, fate)

    module = SimpleNamespace(
        __version__=HERE.tensorrt, ILogger=ILogger, Runtime=Runtime, TensorIOMode=TensorIOMode, DataType=DataType
    )
    monkeypatch.setitem(sys.modules, "tensorrt", module)
    monkeypatch.setattr(backend_module, "read_fingerprint", lambda: HERE)
    tensorrt_log.logger.cache_clear()
    return fate


def fate_log(message: str) -> None:
    tensorrt_log.logger().log(ILogger.Severity.WARNING, "of no account")
    tensorrt_log.logger().log(ILogger.Severity.ERROR, message)


def write_engine(
    engine: Path,
    graph: Path,
    model_spec: ModelSpec,
    *,
    changes: Mapping[str, Mapping[str, Any]] | None = None,
    lacks: tuple[str, ...] = (),
    is_reversed: bool = False,
    fingerprint: Fingerprint = HERE,
) -> Path:
    """An engine's stand-in, which names its graph and how it differs from it, with a manifest beside it."""
    note = {"graph": str(graph), "changes": changes or {}, "lacks": lacks, "is_reversed": is_reversed}
    engine.write_text(json.dumps(note))
    manifest = Manifest(
        model_spec=model_spec.to_metadata(),
        precision=model_spec.precision,
        checkpoint_sha256=model_spec.checkpoint_sha256,
        graph_sha256=graph_sha256(graph),
        engine_sha256=sha256(engine),
        fingerprint=fingerprint,
        built_at="2026-11-22T22:40:00Z",
        command=COMMAND,
    )
    write_manifest(engine, manifest)
    return engine


@cache
def _session(graph: str) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def _answers(graph: str, feed: list[tuple[str, Any]]) -> dict[str, Any]:
    """What the graph makes of its inputs. The tests show it the same few crops over and over."""
    key = hashlib.sha256(
        graph.encode() + b"".join(array.tobytes() for _, array in sorted(feed, key=lambda part: part[0]))
    ).hexdigest()
    if key not in _SEEN:
        session = _session(graph)
        names = [value.name for value in session.get_outputs()]
        _SEEN[key] = dict(zip(names, session.run(names, dict(feed)), strict=True))
    return _SEEN[key]


def _tensors(session: Any) -> list[Tensor]:
    sides = ((TensorIOMode.INPUT, session.get_inputs()), (TensorIOMode.OUTPUT, session.get_outputs()))
    return [
        Tensor(value.name, mode, tuple(value.shape), _NAMES[value.type]) for mode, values in sides for value in values
    ]


def _at(address: int, tensor: Tensor) -> Any:
    dtype = {"UINT8": np.uint8, "INT32": np.int32, "FLOAT": np.float32}[tensor.dtype]
    size = int(np.prod(tensor.shape)) * np.dtype(dtype).itemsize
    return np.ctypeslib.as_array((ctypes.c_uint8 * size).from_address(address)).view(dtype).reshape(tensor.shape)
