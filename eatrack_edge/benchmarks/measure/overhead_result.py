"""The result of ``bench overhead``: what its JSON holds, and what it says in words."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from eatrack_edge.benchmarks.measure.bench_result import Ratio, Spread
from eatrack_edge.core.io import write_whole
from eatrack_edge.machine.conditions import BoardFacts, Environment

SCHEMA = "eatrack-edge/overhead/1"
LIMITS_MS = {"crop": 0.5, "total": 1.0}  # of the median at 1080p on one core
_SWEPT = ", caches swept"


@dataclass(frozen=True, slots=True)
class FrameCost:
    """What an update costs on frames of one size, without a network."""

    width: int
    height: int
    swept_bytes: int  # written between two updates, as a network fills the caches; 0: they stay warm
    latency_ms: dict[str, Spread]  # crop, copy_in, maps, template (the store) and total
    times_1080p: Ratio  # its median over that of 1080p, block by block


@dataclass(frozen=True, slots=True)
class CropCost:
    """What one search crop costs."""

    width: int  # of the frame
    height: int
    window_px: float  # side of the window in the frame: search_factor times the target's
    latency_ms: Spread


@dataclass(frozen=True, slots=True)
class Flight:
    """A long run, and what its first and its last tenth cost."""

    width: int
    height: int
    updates: int
    first_ms: Spread  # with the lower quartile beside the rest: others on the machine disturb it least
    last_ms: Spread
    p50_by_tenth_ms: list[float]
    rss_first_mb: float  # resident memory of the process after the first tenth
    rss_last_mb: float  # and at the end

    @property
    def growth(self) -> float:
        """Median of the last tenth over that of the first, less 1."""
        return self.last_ms.p50 / self.first_ms.p50 - 1

    @property
    def rss_growth_mb(self) -> float:
        """Memory that nine tenths of the flight added."""
        return self.rss_last_mb - self.rss_first_mb


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandLoop:
    """A very long run of what ``track`` does for a frame apart from the update and decoding."""

    frames: int
    first_ms: Spread  # of the first tenth, with the lower quartile beside the rest
    last_ms: Spread
    p50_by_tenth_ms: list[float]
    rss_first_mb: float  # resident memory of the process after the first tenth
    rss_last_mb: float  # and at the end
    outputs: str  # what was written, and where to
    simulated: str  # what did not run


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveRun(CommandLoop):
    """A very long live session, without a camera, a decoder or an update."""

    threads_first: int  # of the process after the first tenth; 0 where the kernel does not report them
    threads_last: int  # and at the end
    descriptors_first: int  # open files, sockets and pipes
    descriptors_last: int
    dropped: int  # frames and lines of the log


@dataclass(frozen=True, slots=True, kw_only=True)
class OverheadResult:
    """One run."""

    schema: str = SCHEMA
    tool: str = "eatrack-edge bench overhead"
    command: list[str]
    measured_at: str  # UTC
    measured_on: str
    env: Environment
    board: BoardFacts
    backend: str  # says that it is a stand-in
    shaped_as: str  # the model whose sizes the stand-in has
    target_px: list[float]  # width and height
    limits_ms: dict[str, float]
    frames: list[FrameCost]
    crops: list[CropCost]
    flight: Flight
    command_loop: CommandLoop | None = None  # results before 2026-11-28 have none
    live_run: LiveRun | None = None  # with `--live`
    valid: bool
    invalid_reasons: list[str]
    notes: list[str]


def write_overhead(result: OverheadResult, path: Path) -> None:
    """Write the JSON.

    Raises:
        OutputError: The file cannot be written.
    """
    write_whole(path, msgspec.json.format(msgspec.json.encode(result), indent=1).decode() + "\n")


def frame_table(result: OverheadResult) -> list[list[str]]:
    """An update by frame size, the first row headings."""
    stages = list(result.frames[0].latency_ms)
    rows = [["p50 ms, no network", *stages, "min total", "p95 total", "times 1080p", "95 % of it"]]
    for one in result.frames:
        total, times = one.latency_ms["total"], one.times_1080p
        medians = [f"{one.latency_ms[stage].p50:.3f}" for stage in stages]
        span = f"{times.low:.2f} to {times.high:.2f}"
        rows.append(
            [
                f"{one.width}x{one.height}{_SWEPT if one.swept_bytes else ''}",
                *medians,
                f"{total.min:.3f}",
                f"{total.p95:.3f}",
                f"{times.median:.2f}",
                span,
            ]
        )
    return rows


def crop_table(result: OverheadResult) -> list[list[str]]:
    """A search crop by frame and window, the first row headings."""
    sizes = list(dict.fromkeys((one.width, one.height) for one in result.crops))
    rows = [["search crop, ms", *(f"{w}x{h} {name}" for w, h in sizes for name in ("min", "p50", "p95"))]]
    for side in dict.fromkeys(one.window_px for one in result.crops):
        found = [one.latency_ms for one in result.crops if one.window_px == side]
        rows.append(
            [
                f"window of {side:g} px",
                *(f"{value:.3f}" for one in found for value in (one.min, one.p50, one.p95)),
            ]
        )
    return rows


def findings(result: OverheadResult) -> list[str]:
    """What was asked, and what was found, a line each."""
    said = [
        _finding(one, stage, limit)
        for one in result.frames
        for stage, limit in result.limits_ms.items()
        if (one.width, one.height) == (1920, 1080)
    ]
    small = [one for one in result.crops if (one.width, one.height) == (1920, 1080)]
    within = [one.window_px for one in small if one.latency_ms.p50 <= result.limits_ms["crop"]]
    said.append(
        f"search crops alone at 1080p: within {result.limits_ms['crop']:g} ms up to a window of {max(within):g} px"
        if within
        else f"search crops alone at 1080p: none within {result.limits_ms['crop']:g} ms"
    )
    flight = result.flight
    said.append(
        f"{flight.updates} updates: {flight.first_ms.p50:.3f} ms in the median of the first tenth, "
        f"{flight.last_ms.p50:.3f} of the last ({flight.growth:+.1%}); memory {flight.rss_first_mb:.1f} MB, then "
        f"{flight.rss_last_mb:.1f}"
    )
    if result.command_loop is not None:
        said.append(f"the loop of track without an update, {_growth(result.command_loop)}")
    if (run := result.live_run) is not None:
        said.append(
            f"a live session without an update, {_growth(run)}; threads {run.threads_first}, then {run.threads_last}; "
            f"open files {run.descriptors_first}, then {run.descriptors_last}; dropped {run.dropped}"
        )
    return said


def _growth(loop: CommandLoop) -> str:
    first, last = loop.first_ms.p50, loop.last_ms.p50
    return (
        f"{loop.frames} frames: {first:.3f} ms in the median of the first tenth, {last:.3f} of the last "
        f"({last / first - 1:+.1%}); memory {loop.rss_first_mb:.1f} MB, then {loop.rss_last_mb:.1f}"
    )


def _finding(cost: FrameCost, stage: str, limit: float) -> str:
    found = cost.latency_ms[stage]
    return (
        f"{stage} at 1080p{_SWEPT if cost.swept_bytes else ''}: {found.p50:.3f} ms in the median, {found.min:.3f} at "
        f"best; at most {limit:g} is asked: {'met' if found.p50 <= limit else 'NOT met'}"
    )
