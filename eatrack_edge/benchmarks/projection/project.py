"""Projects the latency of a graph onto boards that are not at hand; a projection is labelled and never a measurement.

Applies the roofline model of ``roofline.py`` to the layers of ``graph_cost.py``, for every module and power mode of the
device files, with the parameters that ``published_speeds.py`` fits for TensorRT. ``projection_figures`` returns it
together with its check against published speeds, so that neither is shown without the other.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from eatrack_edge.benchmarks.projection.graph_cost import graph_layers
from eatrack_edge.benchmarks.projection.published_speeds import Check, CheckedSeries, check_against_published
from eatrack_edge.benchmarks.projection.roofline import Estimate, Rules, Target, estimate
from eatrack_edge.machine.devices import Device

LABEL = "projection, not a measurement"
RUNTIME = "tensorrt"  # the runtime on boards; the other one only serves the check
_LIMITS = (
    "One network call: crop, copies and the decoding of the maps are not included.",
    "Clocks are at the power mode's maximum, and nothing else uses the GPU or the memory.",
    "Layers are fused as engines usually do; attention is one kernel and its scores stay on the chip.",
    "TF32 runs at half the FP16 rate; the DLA is not used.",
)


@dataclass(frozen=True, slots=True)
class Projection:
    """One graph on one module in one power mode.

    Attributes:
        target: Module, mode and rates, with the names of unconfirmed facts.
        precision: ``fp32``, ``fp16``, ``int8`` or ``int8-fp16``.
        estimate: Its layers, milliseconds of one run, and the floor, which is the fastest possible time.
        worst_factor: Largest error of the roofline in its check across boards, as a factor.
    """

    target: Target
    precision: str
    estimate: Estimate
    worst_factor: float

    @property
    def slow_ms(self) -> float:
        """The projected time times the largest error of the check."""
        return self.estimate.ms * self.worst_factor

    @property
    def compute_bound(self) -> int:
        """Layers whose arithmetic takes longer than their memory traffic; the others are memory-bound."""
        return sum(layer.is_compute_bound for layer in self.estimate.layers)

    def figures(self) -> dict[str, Any]:
        """Ready for JSON; times in milliseconds."""
        shown = self.estimate
        return {
            "label": LABEL,
            **asdict(self.target),
            "unverified": list(self.target.unverified),
            "precision": self.precision,
            "latency_ms": round(shown.ms, 3),
            "floor_ms": round(shown.floor_ms, 3),
            "slow_ms": round(self.slow_ms, 3),
            "launch_ms": round(shown.launch_ms, 3),
            "layers": len(shown.layers),
            "compute_bound_layers": self.compute_bound,
            "memory_bound_layers": len(shown.layers) - self.compute_bound,
        }


def project(track_graph: Path, precision: str, devices: Iterable[Device]) -> list[Projection]:
    """Project a graph's time onto every power mode of devices.

    Args:
        track_graph: The ONNX graph that runs every frame, of any precision: only its shapes are read.
        precision: Of the engine: ``fp32``, ``fp16``, ``int8`` (the rest in FP32) or ``int8-fp16``.
        devices: From ``eatrack_edge.machine.devices``.

    Raises:
        InputError: The file is not an ONNX graph, or its shapes are not static.
        UsageError: No such precision.
        MissingExtra: The package ``onnx`` is not installed.
    """
    layers = graph_layers(track_graph)
    check = check_against_published()
    rules, worst = check.rules_of(RUNTIME), check.worst_factor
    targets = [target for device in devices for target in targets_of(device)]
    return [Projection(target, precision, estimate(layers, precision, target, rules), worst) for target in targets]


def targets_of(device: Device) -> list[Target]:
    """A device in each of its power modes."""
    return [
        Target(
            device=device.title,
            mode=mode.title,
            fp16_tflops=round(mode.fp16_tflops, 3),
            int8_tops=round(mode.int8_tops, 3),
            bandwidth_gb_s=round(device.memory_gb_s(mode), 3),
            unverified=device.unverified(mode),
        )
        for mode in device.modes
    ]


def projection_figures(track_graph: Path, precision: str, devices: Iterable[Device]) -> dict[str, Any]:
    """The projection with its assumptions, limits and check, ready for JSON.

    Returns:
        ``label``, ``graph``, ``precision``, ``targets`` (a row each), ``layers`` (FLOPs and bytes; the time differs by
        target), ``assumptions``, ``limits`` and ``check``, the error against published speeds.

    Raises:
        InputError: The file is not an ONNX graph, or its shapes are not static.
        UsageError: No such precision.
        MissingExtra: The package ``onnx`` is not installed.
    """
    projections = project(track_graph, precision, devices)
    check = check_against_published()
    layers = projections[0].estimate.layers if projections else ()
    return {
        "label": LABEL,
        "graph": track_graph.name,
        "precision": precision,
        "targets": [projection.figures() for projection in projections],
        "layers": [
            {"name": layer.name, "kind": layer.kind, "flops": layer.flops, "bytes": layer.bytes_moved}
            for layer in layers
        ],
        "assumptions": assumption_figures(check.rules_of(RUNTIME)),
        "limits": list(_LIMITS),
        "check": check_figures(check),
    }


def projection_table(figures: dict[str, Any]) -> list[list[str]]:
    """Rows of text, the first of headings; a mode with unconfirmed facts ends in ``*``."""
    rows = [["projection", "mode", "ms", "floor ms", "slow ms", "launches ms", "compute-bound", "memory-bound"]]
    for row in figures["targets"]:
        mark = "*" if row["unverified"] else ""
        times = [f"{row[key]:.2f}" for key in ("latency_ms", "floor_ms", "slow_ms", "launch_ms")]
        bound = [str(row["compute_bound_layers"]), str(row["memory_bound_layers"])]
        rows.append([row["device"], row["mode"] + mark, *times, *bound])
    return rows


def assumption_figures(rules: Rules) -> dict[str, Any]:
    """Values of the assumptions, with unit and reason."""
    return asdict(rules)


def check_figures(check: Check) -> dict[str, Any]:
    """The check against published speeds, ready for JSON: its conclusions as sentences, and every figure."""
    return {
        "verdicts": verdicts(check),
        "below_floor": check.below_floor,
        "across_factors": [round(factor, 3) for factor in sorted(check.across)],
        "series": [_series_figures(one) for one in check.series],
    }


def verdicts(check: Check) -> list[str]:
    """Conclusions of the check, one sentence each, the most relevant first."""
    sentences = [
        f"{one.series.name} ({one.series.runtime}, {one.series.precision}): each figure predicted from the others is "
        f"off by a factor of {np.median(one.errors):.2f} in the median and {max(one.errors):.2f} at worst "
        f"({len(one.errors)} figures)"
        for one in sorted(check.series, key=lambda one: one.series.runtime != RUNTIME)
        if one.errors
    ]
    if check.across:
        sentences.append(
            f"Parameters fitted on one laboratory's board are off on another's by a factor of "
            f"{np.median(check.across):.2f} in the median and {max(check.across):.2f} at worst: no source states power "
            "mode, clocks and precision"
        )
    checked = sum(len(one.speeds) for one in check.series)
    unknown = dict.fromkeys(speed.name for one in check.series for speed in one.speeds if speed.ratio is None)
    sentences.append(
        f"{len(check.below_floor)} of {checked} published figures are faster than the floor; compared with the floor "
        f"only, because their layers are not those of a plain ViT: {', '.join(unknown)}"
    )
    sentences.append("No tracker's TensorRT speed on any Orin was found: for trackers this projection is untested")
    return sentences


def _series_figures(one: CheckedSeries) -> dict[str, Any]:
    known = ("name", "runtime", "precision", "conditions", "source")
    return {
        **{key: getattr(one.series, key) for key in known},
        "device": one.target.device,
        "assumed_mode": one.target.mode,
        "chosen": assumption_figures(one.rules) if one.errors else None,
        "median_factor": round(float(np.median(one.errors)), 3) if one.errors else None,
        "worst_factor": round(max(one.errors), 3) if one.errors else None,
        "figures": [
            {
                "name": speed.name,
                "published_ms": round(speed.published_ms, 3),
                "floor_ms": round(speed.floor_ms, 3),
                "projected_ms": None if speed.projected_ms is None else round(speed.projected_ms, 3),
                "ratio": None if speed.ratio is None else round(speed.ratio, 3),
            }
            for speed in one.speeds
        ],
    }
