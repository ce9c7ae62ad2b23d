"""The ONNX Runtime backend: a CPU, or an NVIDIA GPU through its CUDA provider."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from eatrack_edge.core.crops import Frame
from eatrack_edge.core.errors import InputError, MachineError
from eatrack_edge.core.imports import require
from eatrack_edge.core.model_spec import ModelSpec, TensorSpec
from eatrack_edge.inference.backend import InferTiming, Maps
from eatrack_edge.inference.graph_checks import check_file, check_same_export, check_tensors
from eatrack_edge.inference.model_files import find_graphs
from eatrack_edge.inference.template_inputs import TemplateInputs

_CPU = "CPUExecutionProvider"
_CUDA = "CUDAExecutionProvider"
# It gives quantised convolutions an INT32 bias, whose scale vanishes where the graph's other side is float16: EATrack-S
# in INT8 with FP16 then answers with noise (ONNX Runtime 1.32). Without it nothing was slower.
HARMFUL_OPTIMIZERS = ("WeightBiasQuantization",)


class OnnxRuntimeBackend:
    """ONNX Runtime, with every input and output bound once to a buffer that all frames share.

    Args:
        template_graph: ``NAME.template.onnx``.
        track_graph: ``NAME.track.onnx`` of the same export.
        threads: Threads of one inference. On a few cores one thread per tracker is the most efficient.
        provider: ONNX Runtime's execution provider. Unnamed, it is CUDA where this build has it, else the CPU;
            where CUDA does not start, the CPU runs and ``note`` says so.

    Raises:
        InputError: A file is missing, not a graph of ours, or the two are of different exports.
        MachineError: The provider that was named does not start here.
        MissingExtra: ONNX Runtime is not installed.
    """

    def __init__(self, template_graph: Path, track_graph: Path, *, threads: int = 1, provider: str = "") -> None:
        runtime = require("onnxruntime", to="run a graph on ONNX Runtime")
        built_in = runtime.get_available_providers()
        if provider and provider not in built_in:
            raise _absent(provider, f"this ONNX Runtime has {', '.join(built_in)}")
        wanted = provider or (_CUDA if _CUDA in built_in else _CPU)
        self._encoder = _open(runtime, template_graph, wanted, threads)
        self._tracker = _open(runtime, track_graph, wanted, threads)
        # Without a driver or a library ONNX Runtime falls back to the CPU without an error.
        runs = self._tracker.get_providers()[0]
        if provider and runs != provider:
            raise _absent(provider, f"it did not start, and {runs} took its place")
        self.note = "" if runs == wanted else f"{wanted} did not start, {runs} took its place"
        self.name = f"onnxruntime ({runs.removesuffix('ExecutionProvider')})"
        self.model_spec = _model_spec(self._tracker, track_graph)
        check_same_export(_model_spec(self._encoder, template_graph), self.model_spec, template_graph, track_graph)
        _check(self._encoder, self.model_spec.template_inputs(), self.model_spec.template_outputs(), template_graph)
        _check(self._tracker, self.model_spec.track_inputs(), self.model_spec.track_outputs(), track_graph)
        self._buffers: dict[str, Any] = {}
        self._encoder_binding = self._bind(
            self._encoder, self.model_spec.template_inputs(), self.model_spec.template_outputs()
        )
        self._tracker_binding = self._bind(
            self._tracker, self.model_spec.track_inputs(), self.model_spec.track_outputs()
        )
        score, offset, size, tokens = (self._buffers[spec.name] for spec in self.model_spec.track_outputs())
        self._maps = Maps(score[0, 0], offset[0], size[0], tokens[0])
        self._given = TemplateInputs([self._buffers[spec.name] for spec in self.model_spec.template_inputs()])
        self.timing_ms = InferTiming(0.0, 0.0, 0.0)
        self._warm_up()

    def encode_template(self, crop: Frame, extent: tuple[float, float], slots: Sequence[int]) -> None:
        """Run the template graph once a slot and keep its tokens there."""
        for slot in slots:
            self._given.write(crop, extent, slot)
            self._encoder.run_with_iobinding(self._encoder_binding)
            for made, kept in zip(self.model_spec.template_outputs(), self.model_spec.slot_inputs(slot), strict=True):
                np.copyto(self._buffers[kept.name], self._buffers[made.name])

    def infer(self, search: Frame) -> Maps:
        """Run the track graph on a search crop with the tokens kept."""
        start = perf_counter()
        np.copyto(self._buffers["search"], search)
        copied = perf_counter()
        self._tracker.run_with_iobinding(self._tracker_binding)
        # The outputs are bound to our buffers: what a provider on another device copies is inside its run.
        self.timing_ms = InferTiming(1000 * (copied - start), 1000 * (perf_counter() - copied), 0.0)
        return self._maps

    def close(self) -> None:
        """Free both graphs. The backend cannot be used afterwards."""
        for part in ("_encoder_binding", "_tracker_binding", "_encoder", "_tracker"):
            self.__dict__.pop(part, None)

    def _bind(self, session: Any, inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...]) -> Any:
        """Bind every tensor to a buffer of ours on the CPU, where the crops are made and the maps are read."""
        binding = session.io_binding()
        for spec in (*inputs, *outputs):
            buffer = self._buffers.setdefault(spec.name, np.zeros(spec.shape, spec.dtype))
            bind = binding.bind_input if spec in inputs else binding.bind_output
            bind(spec.name, "cpu", 0, buffer.dtype, buffer.shape, buffer.ctypes.data)
        return binding

    def _warm_up(self) -> None:
        """Pay for the first run's allocations before the first frame."""
        black = np.zeros(self.model_spec.template_inputs()[0].shape, np.uint8)
        self.encode_template(black, (0.5, 0.5), range(self.model_spec.template_slots))
        self._tracker.run_with_iobinding(self._tracker_binding)


def open_backend(model: str | Path, threads: int) -> OnnxRuntimeBackend:
    """Open a model's graphs, see ``model_files.find_graphs``."""
    return OnnxRuntimeBackend(*find_graphs(model), threads=threads)


def _open(runtime: Any, graph: Path, provider: str, threads: int) -> Any:
    check_file(graph)
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors only: its warnings are about its own optimiser
    # Idle threads give their core back between frames instead of spinning on it.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return runtime.InferenceSession(
            str(graph), options, providers=[provider], disabled_optimizers=list(HARMFUL_OPTIMIZERS)
        )
    except Exception as error:  # ONNX Runtime's own errors share no base class
        reason = str(error).strip().splitlines()[0]
        raise InputError(f"{graph}: ONNX Runtime cannot load it: {reason}") from error


def _model_spec(session: Any, graph: Path) -> ModelSpec:
    return ModelSpec.from_metadata(session.get_modelmeta().custom_metadata_map, str(graph))


def _check(session: Any, inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...], graph: Path) -> None:
    for values, specs in ((session.get_inputs(), inputs), (session.get_outputs(), outputs)):
        check_tensors([(value.name, tuple(value.shape)) for value in values], specs, graph)


def _absent(provider: str, reason: str) -> MachineError:
    return MachineError(f"cannot run on {provider}: {reason}", hint="see what is missing: eatrack-edge doctor")
