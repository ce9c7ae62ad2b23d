"""One TensorRT engine: opened, checked against its model specification, bound to memory, run.

Only calls that TensorRT 10.3 to 11.4 have in common.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from eatrack_edge.core.errors import EngineMismatch, MachineError
from eatrack_edge.core.imports import require
from eatrack_edge.core.model_spec import TensorSpec
from eatrack_edge.inference.tensorrt.error_log import logger, take_error

_DTYPES = {"UINT8": "uint8", "FLOAT": "float32"}  # TensorRT's name to numpy's, of what a model specification may hold


class Engine:
    """An engine with one execution context. The device is the calling thread's while any of this runs.

    Args:
        path: The engine's file, already found to be the one its manifest describes.
        inputs: What it should take, by its model specification.
        outputs: What it should give.
        rebuild: Command that builds it again, for hints.

    Raises:
        EngineMismatch: TensorRT refuses the engine, or its tensors are not the model specification's.
        MachineError: The device has too little memory for it.
    """

    def __init__(
        self, path: Path, inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...], *, rebuild: str
    ) -> None:
        trt: Any = require("tensorrt", to="run an engine")
        self._path = path
        take_error()  # drop errors of earlier calls
        # Kept as long as the engine, which may need it.
        self._runtime = trt.Runtime(logger())
        self._engine = self._runtime.deserialize_cuda_engine(path.read_bytes())
        if self._engine is None:
            raise EngineMismatch(
                f"{path}: TensorRT {trt.__version__} refuses it: {take_error()}",
                hint=f"rebuild it on this machine: {rebuild}",
            )
        for mode, specs in ((trt.TensorIOMode.INPUT, inputs), (trt.TensorIOMode.OUTPUT, outputs)):
            self._check(mode, specs, rebuild)
        self._context = self._engine.create_execution_context()
        if self._context is None:
            raise MachineError(
                f"{path}: cannot be made ready to run: {take_error()}",
                hint="close what else uses the GPU's memory; on a Jetson the desktop does: sudo init 3",
            )

    def bind(self, name: str, address: int) -> None:
        """Let a tensor lie at ``address`` from now on.

        Raises:
            MachineError: TensorRT refuses the address.
        """
        if not self._context.set_tensor_address(name, address):
            raise MachineError(f"{self._path}: `{name}` cannot lie at {address:#x}: {take_error()}")

    def execute(self, stream: int) -> None:
        """Queue one run on a stream.

        Raises:
            MachineError: TensorRT did not queue it.
        """
        if not self._context.execute_async_v3(stream):
            raise MachineError(f"{self._path}: cannot be run: {take_error()}", hint="see: eatrack-edge doctor")

    def _check(self, mode: Any, specs: tuple[TensorSpec, ...], rebuild: str) -> None:
        """Refuse an engine whose tensors differ from its model specification; their order is free."""
        engine = self._engine
        names = [engine.get_tensor_name(index) for index in range(engine.num_io_tensors)]
        found = {name: self._describe(name) for name in names if engine.get_tensor_mode(name) == mode}
        wanted = {spec.name: f"{spec.shape} {spec.dtype}" for spec in specs}
        for name in sorted(found.keys() | wanted.keys()):
            got, needed = (side.get(name, "absent") for side in (found, wanted))
            if got != needed:
                raise EngineMismatch(
                    f"{self._path}: {mode.name.lower()} `{name}` is {got}, its manifest says {needed}",
                    hint=f"rebuild it: {rebuild}",
                )

    def _describe(self, name: str) -> str:
        dtype = self._engine.get_tensor_dtype(name).name
        return f"{tuple(self._engine.get_tensor_shape(name))} {_DTYPES.get(dtype, dtype.lower())}"
