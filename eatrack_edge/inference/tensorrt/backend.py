"""Runs engines on TensorRT: the backend that flies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import nan
from pathlib import Path
from time import perf_counter

import numpy as np

from eatrack_edge.core.crops import Frame
from eatrack_edge.core.errors import InputError, MachineError
from eatrack_edge.core.imports import require
from eatrack_edge.core.model_spec import ModelSpec
from eatrack_edge.inference.backend import InferTiming, Maps
from eatrack_edge.inference.model_files import find_graphs
from eatrack_edge.inference.template_inputs import TemplateInputs
from eatrack_edge.inference.tensorrt.cuda_memory import open_memory
from eatrack_edge.inference.tensorrt.device_blocks import DeviceBlock, MirroredBlock
from eatrack_edge.inference.tensorrt.engine import Engine
from eatrack_edge.inference.tensorrt.engine_files import built_engines, is_engine, named_engines
from eatrack_edge.inference.tensorrt.fingerprint import read_fingerprint
from eatrack_edge.inference.tensorrt.manifest import Manifest, check_file, check_fit, read_manifest


class TensorRTBackend:
    """TensorRT on one stream. The template graph writes its tokens to where the track graph reads them, on the GPU.

    A frame is one copy in, one run and one copy out. They are recorded once as a CUDA graph and then launched by one
    call; where that cannot be done they are queued one by one, and ``note`` says why. Used by one thread at a time.

    Args:
        template_engine: ``NAME.template.engine``, with its manifest beside it.
        track_engine: ``NAME.track.engine`` of the same build, likewise.
        memory: The package that speaks to CUDA, see ``open_memory``.
        cuda_graph: Record the frame. Without it ``timing_ms`` tells copies and run apart; with it ``run`` is all
            three, and the copies are ``nan``.

    Raises:
        InputError: An engine or its manifest is missing, damaged, or of another build than the other one.
        EngineMismatch: They were built for another machine or another TensorRT, or are not what their manifest says.
        MachineError: There is no driver, no device, or too little memory.
        MissingExtra: TensorRT or a package that speaks to CUDA is not installed.
    """

    def __init__(
        self,
        template_engine: Path,
        track_engine: Path,
        *,
        memory: str = "auto",
        cuda_graph: bool = True,
    ) -> None:
        require("tensorrt", to="run an engine")
        template, track = (read_manifest(engine) for engine in (template_engine, track_engine))
        self.model_spec = _model_spec(template, track, template_engine, track_engine)
        here = read_fingerprint()
        for engine, manifest in ((template_engine, template), (track_engine, track)):
            check_fit(engine, manifest, here)
            check_file(engine, manifest)
        self.timing_ms = InferTiming(nan, nan, nan)
        self.note = ""
        self._launch: Callable[[], None] | None = None
        self._memory = open_memory(memory)
        with self._memory.current():
            self._open(template_engine, template.command, track_engine, track.command)
        self._warm_up(cuda_graph)
        kind = ", CUDA graph" if self._launch else ""
        self.name = f"tensorrt ({here.gpu}, {track.precision}{kind})"

    def encode_template(self, crop: Frame, extent: tuple[float, float], slots: Sequence[int]) -> None:
        """Run the template graph once a slot; it writes its tokens there."""
        with self._memory.current():
            for slot in slots:
                self._given.write(crop, extent, slot)
                for spec, address in zip(self.model_spec.template_outputs(), self._slots[slot].addresses, strict=True):
                    self._encoder.bind(spec.name, address)
                self._template.copy_in()
                self._encoder.execute(self._memory.stream)
                self._memory.synchronize()  # before the inputs are written again

    def infer(self, search: Frame) -> Maps:
        """Run the track graph on a search crop with the tokens kept."""
        memory = self._memory
        with memory.current():
            start = perf_counter()
            np.copyto(self._crop, search)
            copied = perf_counter()
            if self._launch:
                self._launch()
                memory.synchronize()
                self.timing_ms = InferTiming(nan, 1000 * (perf_counter() - start), nan)
            else:
                self._queue_frame(memory.mark)
                memory.synchronize()
                copy_in, run, copy_out = (memory.between_ms(step, step + 1) for step in range(3))
                self.timing_ms = InferTiming(1000 * (copied - start) + copy_in, run, copy_out)
        return self._maps

    def close(self) -> None:
        """Free the engines and the GPU memory. The backend cannot be used afterwards."""
        # Contexts before the memory that they are bound to.
        parts = (
            "_launch",
            "_encoder",
            "_tracker",
            "_given",
            "_maps",
            "_crop",
            "_template",
            "_search",
            "_slots",
            "_answer",
        )
        for part in (*parts, "_memory"):
            self.__dict__.pop(part, None)

    def _open(self, template_engine: Path, template_command: str, track_engine: Path, track_command: str) -> None:
        """Open both engines, and bind every tensor that stays where it is."""
        model_spec, memory = self.model_spec, self._memory
        inputs, outputs = model_spec.track_inputs(), model_spec.track_outputs()
        self._encoder = Engine(
            template_engine, model_spec.template_inputs(), model_spec.template_outputs(), rebuild=template_command
        )
        self._tracker = Engine(track_engine, inputs, outputs, rebuild=track_command)
        self._template = MirroredBlock(memory, model_spec.template_inputs())
        self._search = MirroredBlock(memory, inputs[:1])
        self._slots = [DeviceBlock(memory, model_spec.slot_inputs(slot)) for slot in range(model_spec.template_slots)]
        self._answer = MirroredBlock(memory, outputs)
        self._given = TemplateInputs(self._template.arrays)
        for spec, address in zip(model_spec.template_inputs(), self._template.addresses, strict=True):
            self._encoder.bind(spec.name, address)
        kept = [address for slot in self._slots for address in slot.addresses]
        addresses = [*self._search.addresses, *kept, *self._answer.addresses]
        for spec, address in zip((*inputs, *outputs), addresses, strict=True):
            self._tracker.bind(spec.name, address)
        (self._crop,) = self._search.arrays
        score, offset, size, tokens = self._answer.arrays
        self._maps = Maps(score[0, 0], offset[0], size[0], tokens[0])

    def _queue_frame(self, mark: Callable[[int], None]) -> None:
        mark(0)
        self._search.copy_in()
        mark(1)
        self._tracker.execute(self._memory.stream)
        mark(2)
        self._answer.copy_out()
        mark(3)

    def _warm_up(self, cuda_graph: bool) -> None:
        """Pay for the first run's allocations before the first frame; only after it can a run be recorded."""
        black = np.zeros_like(self._crop)
        crop = np.zeros_like(self._template.arrays[0])
        self.encode_template(crop, (0.5, 0.5), range(self.model_spec.template_slots))
        self.infer(black)
        if not cuda_graph:
            return
        with self._memory.current():
            try:
                # Time stamps of a recorded run cannot be read.
                self._launch = self._memory.capture(lambda: self._queue_frame(lambda _: None))
            except MachineError as error:
                self.note = f"no CUDA graph: {error.message}"
        self.infer(black)


def open_backend(model: str | Path, threads: int) -> TensorRTBackend:
    """Open a model's engines: those that are named, or those that were built from its graphs."""
    del threads  # the GPU does the work
    require("tensorrt", to="run an engine")
    return TensorRTBackend(*(named_engines(model) if is_engine(model) else built_engines(find_graphs(model)[1])))


def _model_spec(template: Manifest, track: Manifest, template_engine: Path, track_engine: Path) -> ModelSpec:
    model_spec = ModelSpec.from_metadata(track.model_spec, str(track_engine))
    if ModelSpec.from_metadata(template.model_spec, str(template_engine)) != model_spec:
        raise InputError(
            f"{template_engine.name} and {track_engine.name} come from different exports",
            hint=f"build both again: {track.command}",
        )
    return model_spec
