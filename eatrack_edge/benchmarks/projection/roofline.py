"""Estimates the time of a layer by the roofline model: the longer of its arithmetic and its memory traffic.

The model is Williams, Waterman and Patterson's roofline (2009) with two efficiencies, of the nominal arithmetic rate
and of the nominal bandwidth, and a fixed cost for each kernel launch. Every number that is not read from a graph or
from a device file is an ``Assumption`` with its reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from eatrack_edge.benchmarks.projection.graph_cost import LayerCost
from eatrack_edge.core.errors import UsageError, did_you_mean


@dataclass(frozen=True, slots=True)
class Target:
    """A module in one of its power modes.

    Attributes:
        device, mode: Names in the device files.
        fp16_tflops, int8_tops: Dense tensor-core rates at the mode's highest clock, 10^12 operations a second.
        bandwidth_gb_s: Of the memory, 10^9 bytes a second.
        unverified: Names of the unconfirmed facts among these.
    """

    device: str
    mode: str
    fp16_tflops: float
    int8_tops: float
    bandwidth_gb_s: float
    unverified: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Assumption:
    """A parameter of the roofline that was not measured on the machine it is used for."""

    value: float
    unit: str
    reason: str
    is_fitted: bool = False  # fitted to published figures


@dataclass(frozen=True, slots=True)
class Rules:
    """The roofline parameters of one runtime."""

    compute_efficiency: Assumption
    memory_efficiency: Assumption
    launch_us: Assumption


@dataclass(frozen=True, slots=True)
class _Arithmetic:
    """A precision: its rate as a share of the target's, and bytes for each element."""

    fp16_share: float  # of the FP16 rate, for attention and, where not INT8, for matmuls
    is_int8: bool  # matmuls with constant weights run at the INT8 rate
    weight_bytes: int
    activation_bytes: int


# TF32 at half the FP16 rate is the ratio of NVIDIA's A100 data sheet (156 to 312); none was found for Orin.
_PRECISIONS = {
    "fp32": _Arithmetic(0.5, is_int8=False, weight_bytes=4, activation_bytes=4),
    "fp16": _Arithmetic(1.0, is_int8=False, weight_bytes=2, activation_bytes=2),
    "int8": _Arithmetic(0.5, is_int8=True, weight_bytes=1, activation_bytes=4),
    "int8-fp16": _Arithmetic(1.0, is_int8=True, weight_bytes=1, activation_bytes=2),
}


@dataclass(frozen=True, slots=True)
class LayerTime:
    """Cost and time of a layer on a target; times in milliseconds, without the launch."""

    name: str
    kind: str
    flops: int
    bytes_moved: int
    compute_ms: float
    memory_ms: float

    @property
    def ms(self) -> float:
        """The longer of the two."""
        return max(self.compute_ms, self.memory_ms)

    @property
    def is_compute_bound(self) -> bool:
        """Whether arithmetic takes longer than memory."""
        return self.compute_ms > self.memory_ms


@dataclass(frozen=True, slots=True)
class Estimate:
    """All layers on a target.

    Attributes:
        layers: In order of execution.
        launch_ms: Time of all kernel launches.
        floor_ms: Time at the full nominal rates without launches: no engine of this graph can be faster.
    """

    layers: tuple[LayerTime, ...] = field(repr=False)
    launch_ms: float
    floor_ms: float

    @property
    def ms(self) -> float:
        """Time of one run, milliseconds."""
        return self.launch_ms + sum(layer.ms for layer in self.layers)


def estimate(layers: Sequence[LayerCost], precision: str, target: Target, rules: Rules) -> Estimate:
    """Estimate the time of a graph on a target.

    Args:
        layers: From ``graph_layers``.
        precision: ``fp32``, ``fp16``, ``int8`` (the rest in FP32) or ``int8-fp16``.
        target: The board in one power mode.
        rules: Efficiencies and launch cost of its runtime.

    Raises:
        UsageError: No such precision.
    """
    if precision not in _PRECISIONS:
        hint = did_you_mean(precision, _PRECISIONS, "known precisions: {}")
        raise UsageError(f"no precision called `{precision}`", hint=hint)
    arithmetic = _PRECISIONS[precision]
    compute, memory = rules.compute_efficiency.value, rules.memory_efficiency.value
    times = tuple(_time(layer, arithmetic, target, compute, memory) for layer in layers)
    floor = sum(max(time.compute_ms * compute, time.memory_ms * memory) for time in times)
    return Estimate(times, len(times) * rules.launch_us.value / 1e3, floor)


def _time(layer: LayerCost, arithmetic: _Arithmetic, target: Target, compute: float, memory: float) -> LayerTime:
    rate = target.fp16_tflops * arithmetic.fp16_share
    if arithmetic.is_int8 and layer.kind == "matmul":
        rate = target.int8_tops
    moved = layer.weights * arithmetic.weight_bytes + layer.activations * arithmetic.activation_bytes
    return LayerTime(
        name=layer.name,
        kind=layer.kind,
        flops=layer.flops,
        bytes_moved=moved,
        compute_ms=layer.flops / (rate * compute * 1e9),
        memory_ms=moved / (target.bandwidth_gb_s * memory * 1e6),
    )
