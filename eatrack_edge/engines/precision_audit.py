"""Counts the precisions of a network's matrix multiplications. TensorRT takes the types from the graph."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eatrack_edge.core.errors import GateFailed
from eatrack_edge.core.imports import require


@dataclass(frozen=True, slots=True)
class Audit:
    """Number of matmuls and convolutions of a network, by the type of their inputs."""

    single: int  # float32
    half: int  # float16
    quantised: int  # both inputs are dequantised from INT8

    @property
    def total(self) -> int:
        """All of them."""
        return self.single + self.half + self.quantised

    def __str__(self) -> str:
        kinds = (("INT8", self.quantised), ("FP16", self.half), ("FP32", self.single))
        counts = ", ".join(f"{count} in {kind}" for kind, count in kinds if count)
        return f"{self.total} matmuls and convolutions: {counts}"


def audit(network: Any) -> Audit:
    """Count the matmuls and convolutions of a parsed network.

    TensorRT may still run a quantised one in the type that it is dequantised to, where it has no faster INT8 kernel.
    """
    trt = require("tensorrt", to="build an engine")
    layers = [network.get_layer(index) for index in range(network.num_layers)]
    producers = {layer.get_output(index).name: layer for layer in layers for index in range(layer.num_outputs)}
    single = half = quantised = 0
    for layer in layers:
        if layer.type not in (trt.LayerType.MATRIX_MULTIPLY, trt.LayerType.CONVOLUTION):
            continue
        # A constant kernel is not a tensor, and has the input's type.
        inputs = (layer.get_input(index) for index in range(min(2, layer.num_inputs)))
        operands = [tensor for tensor in inputs if tensor is not None]
        if len(operands) == 2 and all(_is_quantised(trt, operand, producers) for operand in operands):
            quantised += 1
        elif all(operand.dtype == trt.DataType.HALF for operand in operands):
            half += 1
        else:
            single += 1
    return Audit(single, half, quantised)


def check(found: Audit, precision: str, graph: Path) -> None:
    """Refuse a graph whose types are not those of its precision; the template graph of an INT8 model stays in float.

    Args:
        found: What ``audit`` counted.
        precision: One of ``model_spec.PRECISIONS``.
        graph: The file; its name tells template from track graph.

    Raises:
        GateFailed: A type is missing, or is there and should not be.
    """
    expected = {"fp32": set(), "fp16": {"FP16"}, "int8": {"INT8"}, "int8-fp16": {"FP16", "INT8"}}[precision]
    if graph.name.endswith(".template.onnx"):
        expected = expected - {"INT8"}
    has = {kind for kind, count in (("FP16", found.half), ("INT8", found.quantised)) if count}
    if has != expected:
        raise GateFailed(
            f"{graph}: is called {precision}, but has {found}",
            hint=f"export it again: eatrack-edge export --precision {precision}",
        )


def _is_quantised(trt: Any, tensor: Any, producers: dict[str, Any]) -> bool:
    """Whether a tensor is a dequantised one, reshapes and transposes in between aside."""
    layer = producers.get(tensor.name)
    while layer is not None and layer.type == trt.LayerType.SHUFFLE:
        layer = producers.get(layer.get_input(0).name)
    return layer is not None and layer.type == trt.LayerType.DEQUANTIZE
