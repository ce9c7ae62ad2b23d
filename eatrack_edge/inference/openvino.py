"""Runs the graphs on OpenVINO: the fastest of the backends on a CPU, and the only one there that gains from INT8."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from eatrack_edge.core.crops import Frame
from eatrack_edge.core.errors import InputError
from eatrack_edge.core.imports import require
from eatrack_edge.core.model_spec import ModelSpec, TensorSpec
from eatrack_edge.inference.backend import InferTiming, Maps
from eatrack_edge.inference.graph_tensors import TemplateInputs, check_file, check_same_export, check_tensors
from eatrack_edge.inference.model_files import find_graphs
from eatrack_edge.inference.openvino_core import DEVICE, compile_graph

_NEED = "run a graph on OpenVINO"
_MULTIPLIES = ("Convolution", "FullyConnected", "MatMul")


class OpenVinoBackend:
    """OpenVINO on the CPU: one request a graph, over buffers that all frames share.

    Layers that the graph leaves in float32 run in float32, also where the CPU would be faster in bfloat16, so
    answers agree with ONNX Runtime; what the graph quantises runs in INT8.

    Args:
        template_graph: ``NAME.template.onnx``.
        track_graph: ``NAME.track.onnx`` of the same export.
        threads: Threads of one inference. On a few cores one thread per tracker is the most efficient.

    Raises:
        InputError: A file is missing, not a graph of ours, or the two are of different exports.
        MissingExtra: OpenVINO is not installed.
    """

    def __init__(self, template_graph: Path, track_graph: Path, *, threads: int = 1) -> None:
        openvino = require("openvino", to=_NEED)
        encoder, encoder_spec = _open(openvino, template_graph, threads)
        tracker, self.model_spec = _open(openvino, track_graph, threads)
        check_same_export(encoder_spec, self.model_spec, template_graph, track_graph)
        encoded, tracked = self.model_spec.template_outputs(), self.model_spec.track_outputs()
        _check(encoder, self.model_spec.template_inputs(), encoded, template_graph)
        _check(tracker, self.model_spec.track_inputs(), tracked, track_graph)
        self.name = f"openvino ({DEVICE}, {_precision(tracker)})"
        self._buffers: dict[str, Any] = {}
        self._encode = self._request(openvino, encoder)
        self._track = self._request(openvino, tracker)
        self._given = TemplateInputs([self._buffers[spec.name] for spec in self.model_spec.template_inputs()])
        # Looked up once: these lists are built again at each call.
        self._slots = [
            [(self._buffers[kept.name], self._buffers[made.name]) for kept, made in zip(inputs, encoded, strict=True)]
            for inputs in map(self.model_spec.slot_inputs, range(self.model_spec.template_slots))
        ]
        score, offset, size, tokens = (self._buffers[spec.name] for spec in tracked)
        self._maps = Maps(score[0, 0], offset[0], size[0], tokens[0])
        self.timing_ms, self.note = InferTiming(0.0, 0.0, 0.0), ""
        self._warm_up()

    def encode_template(self, crop: Frame, extent: tuple[float, float], slots: Sequence[int]) -> None:
        """Run the template graph once a slot and keep its tokens there."""
        for slot in slots:
            self._given.write(crop, extent, slot)
            self._encode.infer()
            for kept, made in self._slots[slot]:
                np.copyto(kept, made)

    def infer(self, search: Frame) -> Maps:
        """Run the track graph on a search crop with the tokens kept."""
        start = perf_counter()
        np.copyto(self._buffers["search"], search)
        copied = perf_counter()
        self._track.start_async()  # unlike ``infer``, the pair allocates no dictionary of results
        self._track.wait()
        self.timing_ms = InferTiming(1000 * (copied - start), 1000 * (perf_counter() - copied), 0.0)
        return self._maps

    def close(self) -> None:
        """Free both graphs. The backend cannot be used afterwards."""
        for part in ("_encode", "_track"):
            self.__dict__.pop(part, None)

    def _request(self, openvino: Any, compiled: Any) -> Any:
        """An inference request that reads and writes buffers of ours."""
        request = compiled.create_infer_request()
        for port in (*compiled.inputs, *compiled.outputs):
            buffer = np.zeros(tuple(port.shape), port.element_type.to_dtype())
            request.set_tensor(port, openvino.Tensor(buffer, shared_memory=True))
            self._buffers[port.any_name] = buffer
        return request

    def _warm_up(self) -> None:
        """Pay for the first run's allocations before the first frame."""
        black = np.zeros_like(self._buffers["template"])
        self.encode_template(black, (0.5, 0.5), range(self.model_spec.template_slots))
        self.infer(np.zeros_like(self._buffers["search"]))


def open_backend(model: str | Path, threads: int) -> OpenVinoBackend:
    """Open a model's graphs, see ``model_files.find_graphs``."""
    return OpenVinoBackend(*find_graphs(model), threads=threads)


def _open(openvino: Any, graph: Path, threads: int) -> tuple[Any, ModelSpec]:
    """A graph, compiled, and the model specification in its ONNX metadata."""
    check_file(graph)
    try:
        # The ONNX reader by name: left to guess, OpenVINO offers a broken file to every reader it has.
        reader = openvino.frontend.FrontEndManager().load_by_framework("onnx")
        model = reader.convert(reader.load(str(graph)))
        compiled = compile_graph(model, threads, to=_NEED)
    except Exception as error:  # OpenVINO's own errors share no base class
        reason = str(error).strip().splitlines()[-1]
        raise InputError(f"{graph}: OpenVINO cannot load it: {reason}") from error
    # The reader keeps a graph's metadata here.
    metadata = model.get_rt_info()["framework"] if model.has_rt_info(["framework"]) else {}
    return compiled, ModelSpec.from_metadata({key: value.astype(str) for key, value in metadata.items()}, str(graph))


def _check(compiled: Any, inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...], graph: Path) -> None:
    for ports, specs in ((compiled.inputs, inputs), (compiled.outputs, outputs)):
        check_tensors([(port.any_name, tuple(port.shape)) for port in ports], specs, graph)


def _precision(compiled: Any) -> str:
    """What the multiplications really run in, e.g. ``f32``, or ``f32+i8`` where only some are quantised."""
    notes = [node.get_rt_info() for node in compiled.get_runtime_model().get_ops()]
    found = {note["runtimePrecision"].astype(str) for note in notes if note["layerType"].astype(str) in _MULTIPLIES}
    return "+".join(sorted(found))
