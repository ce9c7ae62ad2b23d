"""The result of a benchmark: what its JSON holds. The schema is ``benchmarks/result.schema.json``."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from eatrack_edge.core.errors import InputError
from eatrack_edge.core.io import write_whole
from eatrack_edge.core.reasons import reason_of
from eatrack_edge.machine.conditions import BoardFacts, Environment
from eatrack_edge.machine.device_check import DeviceCheck

SCHEMA = "eatrack-edge/bench/1"


@dataclass(frozen=True, slots=True)
class Spread:
    """How a quantity was spread over the updates measured."""

    count: int
    min: float
    mean: float
    p50: float
    p90: float
    p95: float
    p99: float
    max: float
    cov: float  # coefficient of variation: standard deviation / mean
    percentiles: dict[str, float] = field(default_factory=dict)  # those that were asked for besides, by number


@dataclass(frozen=True, slots=True)
class Model:
    """What was run."""

    name: str
    backend: str
    precision: str
    threads: int
    checkpoint_sha256: str
    file_sha256: dict[str, str]  # of the graphs or the engine that ran
    refinement: str = ""  # that is part of every update of ours; empty in results before 2026-11-28, which had none


@dataclass(frozen=True, slots=True)
class Clip:
    """On what it was run."""

    uri: str
    width: int
    height: int
    frames: int  # distinct ones that were read; the source is read again from its start where it is too short
    note: str


@dataclass(frozen=True, slots=True)
class Method:
    """How it was run."""

    iterations: int  # updates measured, of each tracker
    duration_s: float
    block: int  # frames that one tracker goes through before the next one's turn
    warmup_ms: float
    warmup_updates: int
    is_warm: bool  # the warm-up's rule was met before its limit


@dataclass(frozen=True, slots=True)
class Realtime:
    """What a live camera would have seen, replayed from the measured latencies: the newest frame wins."""

    camera_fps: float
    frame_age_ms: Spread  # from a frame's arrival to its box
    missed_share: float  # of the camera's frames that no update looked at
    method: str = "replayed from the measured update latencies"


@dataclass(frozen=True, slots=True)
class Energy:
    """From the INA3221 rails, see ``machine.energy``."""

    rails: list[str]
    idle_w: float
    mean_w: float
    j_per_frame: float  # above idle
    samples: int
    method: str


@dataclass(frozen=True, slots=True)
class Thermal:
    """Degrees C by zone."""

    start: dict[str, float]
    end: dict[str, float]
    max: dict[str, float]
    throttled: bool
    events: list[str]


@dataclass(frozen=True, slots=True)
class Moment:
    """One stretch of the run, for curves over time. Absent is what the machine does not say."""

    t_s: float
    p50: float | None  # of the total latency of our updates in it, ms
    max: float | None
    temperature_c: float | None  # the hottest zone
    power_w: float | None
    cpu_hz: int | None
    gpu_hz: int | None


@dataclass(frozen=True, slots=True)
class Ratio:
    """How much longer the other takes: its median over ours, block by block, so that drift cancels."""

    median: float
    q25: float
    q75: float
    low: float  # bootstrap interval of the median, 95 %
    high: float
    blocks: int


@dataclass(frozen=True, slots=True)
class Versus:
    """Another tracker, backend, precision or model, interleaved with ours on the same frames."""

    spec: str
    label: str
    backend: str
    precision: str
    latency_ms: dict[str, Spread]
    first_frame_ms: float
    load_ms: float
    ratio: Ratio
    mean_overlap: float | None
    is_warm: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One run."""

    schema: str = SCHEMA
    tool: str = "eatrack-edge bench"
    command: list[str]
    measured_at: str  # UTC
    measured_on: str  # from the device tree, DMI or the CPU; no option changes it
    claim: DeviceCheck
    env: Environment
    board: BoardFacts
    model: Model
    clip: Clip
    method: Method
    latency_ms: dict[str, Spread]  # by stage; a stage that cannot be told apart is absent
    fps: dict[str, float]  # "model": updates a second by the median; "end_to_end": with the decoding of the video
    first_frame_ms: float  # init
    first_update_ms: float
    load_ms: float
    memory_mb: dict[str, float | None]
    realtime: Realtime
    energy: Energy | None
    thermal: Thermal
    accuracy: dict[str, float]  # "mean_overlap" with the truth, where the source knows it
    timeline: list[Moment]
    histogram_ms: dict[str, list[float]]  # "edges" and "counts" of the total
    versus: list[Versus]
    projection: dict[str, Any] | None  # of boards that are not here; never a measurement
    valid: bool
    invalid_reasons: list[str]
    notes: list[str]


def result_schema() -> dict[str, Any]:
    """The JSON schema of a result, the same with every msgspec: from 0.23 on it names an empty default too."""
    schema: dict[str, Any] = msgspec.json.schema(Result)
    for definition in schema["$defs"].values():
        for described in definition.get("properties", {}).values():
            if described.get("default") == {}:
                del described["default"]
    return schema


def to_dict(result: Result) -> dict[str, Any]:
    """The result as plain values."""
    plain: dict[str, Any] = msgspec.to_builtins(result)
    return plain


def write_result(result: Result, path: Path) -> None:
    """Write the JSON.

    Raises:
        OutputError: The file cannot be written.
    """
    write_whole(path, msgspec.json.format(msgspec.json.encode(result), indent=1).decode() + "\n")


def read_result(path: Path) -> Result:
    """Read a result.

    Raises:
        InputError: There is no such file, or it holds none.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Result)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {reason_of(error)}") from error
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise InputError(
            f"{path}: not a result of eatrack-edge bench: {error}", hint="make one: eatrack-edge bench --json PATH"
        ) from error
