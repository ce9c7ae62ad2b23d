"""In which precision a network multiplies. TensorRT takes the types from the graph, so they can be counted."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eatrack_edge.core.errors import GateFailed
from eatrack_edge.core.imports import require


@dataclass(frozen=True, slots=True)
class Audit:
    """Matrix products and convolutions of a network, by the type of what they multiply."""

    single: int  # float32
    half: int  # float16
    quantised: int  # both factors come straight out of a dequantisation from INT8

    @property
    def total(self) -> int:
        """All of them."""
        return self.single + self.half + self.quantised

    def __str__(self) -> str:
        kinds = (("INT8", self.quantised), ("FP16", self.half), ("FP32", self.single))
        return f"{self.total} products: " + ", ".join(f"{count} in {kind}" for kind, count in kinds if count)


def audit(network: Any) -> Audit:
    """Count a parsed network's products.

    What TensorRT then runs may differ in one direction only: it may compute a quantised product in the type that
    it is dequantised to, where it has no faster INT8 kernel.
    """
    trt = require("tensorrt", to="build an engine")
    layers = [network.get_layer(index) for index in range(network.num_layers)]
    producers = {layer.get_output(index).name: layer for layer in layers for index in range(layer.num_outputs)}
    single = half = quantised = 0
    for layer in layers:
        if layer.type not in (trt.LayerType.MATRIX_MULTIPLY, trt.LayerType.CONVOLUTION):
            continue
        # A kernel that is a plain constant is no tensor: there is nothing to ask, and it has the input's type.
        inputs = (layer.get_input(index) for index in range(min(2, layer.num_inputs)))
        factors = [tensor for tensor in inputs if tensor is not None]
        if len(factors) == 2 and all(_is_quantised(trt, factor, producers) for factor in factors):
            quantised += 1
        elif all(factor.dtype == trt.DataType.HALF for factor in factors):
            half += 1
        else:
            single += 1
    return Audit(single, half, quantised)


def check(found: Audit, precision: str, graph: Path) -> None:
    """Refuse a graph that is not what its precision promises; the template graph beside INT8 stays in float.

    Args:
        found: What ``audit`` counted.
        precision: One of ``model_spec.PRECISIONS``.
        graph: The file; its name tells template from track graph.

    Raises:
        GateFailed: A kind of product is missing, or there where it should not be.
    """
    promised = {"fp32": set(), "fp16": {"FP16"}, "int8": {"INT8"}, "int8-fp16": {"FP16", "INT8"}}[precision]
    if graph.name.endswith(".template.onnx"):
        promised = promised - {"INT8"}
    has = {kind for kind, count in (("FP16", found.half), ("INT8", found.quantised)) if count}
    if has != promised:
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
