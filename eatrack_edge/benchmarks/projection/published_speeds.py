"""Checks the roofline model against speeds that were published for Orin boards.

``benchmarks/published/orin.toml`` has the figures. Two parameters of the roofline, the compute efficiency and the cost
of a kernel launch, are in no data sheet. They are fitted to these figures, series by series. Each figure is then
predicted with parameters fitted *without it*, and that leave-one-out error is reported. The error of parameters that
were fitted on another laboratory's board is reported too.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from eatrack_edge.benchmarks.projection.graph_cost import LayerCost
from eatrack_edge.benchmarks.projection.roofline import Assumption, Rules, Target, estimate
from eatrack_edge.core import config
from eatrack_edge.core.errors import ConfigError
from eatrack_edge.core.resources import material
from eatrack_edge.machine.devices import device_named

_EFFICIENCIES = np.geomspace(0.03, 1.0, 72)  # 5 % apart, far finer than the figures agree
_LAUNCHES_US = np.geomspace(2.0, 200.0, 72)  # 7 % apart
_FEWEST_FOR_LAUNCH = 4  # figures of a series needed to fit two parameters rather than one
_HEAD_LAYERS = 15  # a CENTER head: three branches of five convolutions

LAUNCH_US = Assumption(
    5.0, "us", "a kernel's start and end in a captured CUDA graph; no figure for Orin was found, so it is a guess"
)
MEMORY_EFFICIENCY = Assumption(
    0.7,
    "of nominal",
    "NVIDIA's 14.0 tokens/s of an 8-billion-parameter INT4 model on Orin Nano read at least 56 of 68 GB/s (0.82); "
    "small layers reach less",
)


@dataclass(frozen=True, slots=True)
class Transformer:
    """Shape of a plain ViT, from which its layers follow."""

    blocks: int
    width: int
    tokens: int  # mean over the blocks
    mlp_ratio: float = 4.0


@dataclass(frozen=True, slots=True)
class PublishedSpeed:
    """One network's published speed."""

    name: str
    fps: float
    gmacs: float  # as published: without the matmuls of attention
    params_m: float
    vit: Transformer | None = None

    @property
    def ms(self) -> float:
        """Milliseconds per run."""
        return 1e3 / self.fps

    def layers(self) -> list[LayerCost]:
        """Layers by the rules of ``graph_cost``; a single layer where only totals are known."""
        if self.vit is None:
            return [LayerCost(self.name, "matmul", round(2e9 * self.gmacs), round(1e6 * self.params_m), 0)]
        layers = _block_layers(self.vit) * self.vit.blocks
        rest = max(0.0, 2e9 * self.gmacs - sum(layer.flops for layer in layers if layer.kind == "matmul"))
        weights = max(0.0, 1e6 * self.params_m - sum(layer.weights for layer in layers))
        share = 1 / _HEAD_LAYERS
        return layers + [LayerCost("rest", "matmul", round(rest * share), round(weights * share), 0)] * _HEAD_LAYERS


@dataclass(frozen=True, slots=True)
class Series:
    """Speeds that one laboratory published for one board."""

    name: str
    device: str  # a device file's name
    mode: str  # the assumed power mode
    runtime: str  # onnxruntime or tensorrt
    precision: str  # assumed too
    conditions: str
    source: str
    trackers: tuple[PublishedSpeed, ...]


@dataclass(frozen=True, slots=True)
class _File:
    series: tuple[Series, ...]


@dataclass(frozen=True, slots=True)
class CheckedSpeed:
    """A published speed and its projection, in milliseconds.

    Attributes:
        floor_ms: The fastest possible time, if the nominal rates and the assumed conditions are right.
        projected_ms: With parameters fitted without this figure; ``None`` where its layers are not known.
    """

    name: str
    published_ms: float
    floor_ms: float
    projected_ms: float | None

    @property
    def ratio(self) -> float | None:
        """Projected over published time."""
        return None if self.projected_ms is None else self.projected_ms / self.published_ms


@dataclass(frozen=True, slots=True)
class CheckedSeries:
    """A series with the parameters fitted to all its figures, and each figure predicted from the others."""

    series: Series
    target: Target
    rules: Rules
    speeds: tuple[CheckedSpeed, ...]

    @property
    def errors(self) -> list[float]:
        """Error of each projection as a factor, in either direction; 1 is exact."""
        return [max(speed.ratio, 1 / speed.ratio) for speed in self.speeds if speed.ratio]


@dataclass(frozen=True, slots=True)
class Check:
    """Result of the check of the roofline against all published speeds.

    Attributes:
        series: Result for each series.
        across: Errors, as factors, of parameters fitted on one ONNX Runtime series for the figures of another.
    """

    series: tuple[CheckedSeries, ...]
    across: tuple[float, ...]

    @property
    def below_floor(self) -> list[str]:
        """Published speeds faster than the floor; each means a wrong fact or a wrong assumption."""
        rows = ((one, speed) for one in self.series for speed in one.speeds)
        return [f"{speed.name}, {one.series.name}" for one, speed in rows if speed.published_ms < speed.floor_ms]

    @property
    def worst_factor(self) -> float:
        """The largest error of any prediction, within a series or across series."""
        return max([*self.across, *(error for one in self.series for error in one.errors)])

    def rules_of(self, runtime: str) -> Rules:
        """Parameters fitted to a runtime's figures; of several series, the first."""
        return next(one.rules for one in self.series if one.series.runtime == runtime and one.errors)


@cache
def check_against_published() -> Check:
    """Compare the roofline with every published figure.

    Raises:
        ConfigError: The file of figures or a device file is wrong.
    """
    read = config.load(_File, material("benchmarks/published") / "orin.toml").series
    checked = tuple(_check(series) for series in read)
    fitted = [one for one in checked if one.series.runtime == "onnxruntime" and one.errors]
    across = tuple(
        max(ratio, 1 / ratio)
        for one in fitted
        for other in fitted
        if one is not other
        for ratio in _ratios(one, other.rules)
    )
    return Check(checked, across)


def target_of(series: Series) -> Target:
    """The board and power mode assumed for a series.

    Raises:
        ConfigError: The device has no such mode.
    """
    device = device_named(series.device)
    mode = device.mode_named(series.mode)
    if mode is None:
        raise ConfigError(f"{series.name}: {device.title} has no power mode `{series.mode}`")
    bandwidth = device.memory_gb_s(mode)
    return Target(device.title, mode.title, mode.fp16_tflops, mode.int8_tops, bandwidth, device.unverified(mode))


def _check(series: Series) -> CheckedSeries:
    target = target_of(series)
    known = [speed for speed in series.trackers if speed.vit]
    table = np.stack([_log_ratios(speed, series, target) for speed in known]) if known else None
    predicted: dict[str, float] = {}
    if table is not None and len(known) > 1:
        for place, speed in enumerate(known):
            rules = _best(np.delete(table, place, axis=0), series)
            predicted[speed.name] = estimate(speed.layers(), series.precision, target, rules).ms
    rules = _best(table, series) if table is not None else _nominal()
    speeds = tuple(
        CheckedSpeed(
            speed.name,
            speed.ms,
            estimate(speed.layers(), series.precision, target, rules).floor_ms,
            predicted.get(speed.name),
        )
        for speed in series.trackers
    )
    return CheckedSeries(series, target, rules, speeds)


def _ratios(one: CheckedSeries, rules: Rules) -> list[float]:
    known = [speed for speed in one.series.trackers if speed.vit]
    return [estimate(s.layers(), one.series.precision, one.target, rules).ms / s.ms for s in known]


def _log_ratios(speed: PublishedSpeed, series: Series, target: Target) -> NDArray[np.float64]:
    """Log of projected over published time for every pair of parameters, shape (efficiencies, launches)."""
    full = estimate(speed.layers(), series.precision, target, _nominal())
    compute = np.array([layer.compute_ms for layer in full.layers])
    memory = np.array([layer.memory_ms for layer in full.layers])
    busy = np.maximum(compute / _EFFICIENCIES[:, None], memory).sum(axis=1)
    launches = len(full.layers) * _launches(len([s for s in series.trackers if s.vit])) / 1e3
    ratios: NDArray[np.float64] = (busy[:, None] + launches) / speed.ms
    return np.log(ratios)


def _best(table: NDArray[np.float64], series: Series) -> Rules:
    """The parameters with the smallest mean error."""
    launches = _launches(len([speed for speed in series.trackers if speed.vit]))
    errors = np.abs(table).mean(axis=0)
    row, column = np.unravel_index(int(errors.argmin()), errors.shape)
    share = Assumption(float(_EFFICIENCIES[row]), "of nominal", f"fitted to: {series.name}", is_fitted=True)
    launch = LAUNCH_US
    if len(launches) > 1:
        launch = Assumption(float(launches[column]), "us", f"fitted to: {series.name}", is_fitted=True)
    return Rules(share, MEMORY_EFFICIENCY, launch)


def _launches(figures: int) -> NDArray[np.float64]:
    return _LAUNCHES_US if figures >= _FEWEST_FOR_LAUNCH else np.array([LAUNCH_US.value])


def _nominal() -> Rules:
    return Rules(Assumption(1.0, "of nominal", "nothing is known"), MEMORY_EFFICIENCY, LAUNCH_US)


def _block_layers(vit: Transformer) -> list[LayerCost]:
    width, tokens, hidden = vit.width, vit.tokens, round(vit.width * vit.mlp_ratio)

    def matmul(name: str, inputs: int, outputs: int, residual: int = 0) -> LayerCost:
        moved = tokens * (inputs + outputs + residual)
        return LayerCost(name, "matmul", 2 * tokens * inputs * outputs, inputs * outputs, moved)

    norm = LayerCost("norm", "other", 0, 2 * width, 2 * tokens * width)
    return [
        norm,
        matmul("qkv", width, 3 * width),
        LayerCost("attention", "attention", 4 * tokens * tokens * width, 0, 4 * tokens * width),
        matmul("projection", width, width, residual=width),
        norm,
        matmul("expand", width, hidden),
        matmul("contract", hidden, width, residual=width),
    ]
