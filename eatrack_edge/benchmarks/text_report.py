"""Turns a benchmark result into facts and tables for the terminal, and names its files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from eatrack_edge.benchmarks.measure.bench_result import Result, Spread
from eatrack_edge.benchmarks.measure.compare import Change
from eatrack_edge.benchmarks.projection.project import projection_table

AROUND_INFER = "around_infer"
STAGES = {
    "decode": "decode the video",
    "crop": "crop",
    "copy_in": "copy in",
    "infer": "infer",
    "copy_out": "copy out",
    "maps": "decode the maps",
    "template": "template update",
    AROUND_INFER: "all but infer",
    "total": "update, total",
    "end_to_end": "with the video",
}


def stage_table(result: Result) -> list[list[str]]:
    """Latency by stage in milliseconds: rows of text, the first of headings."""
    percentiles = list(next(iter(result.latency_ms.values())).percentiles)
    rows = [["stage, ms", "min", "p50", "p90", "p95", "p99", "max", "cov", *(f"p{one}" for one in percentiles)]]
    for stage, name in STAGES.items():
        spread = result.latency_ms.get(stage)
        rows.append([name, *(_row(spread) if spread else ["-"] * (7 + len(percentiles)))])
    return rows


def versus_table(result: Result) -> list[list[str]]:
    """Comparison with other trackers on the same frames: rows of text, the first of headings; empty without others."""
    if not result.versus:
        return []
    rows = [
        ["same frames, interleaved", "p50 ms", "p95 ms", "times ours", "half of blocks", "95 % of median", "overlap"]
    ]
    ours = result.latency_ms["total"]
    name = f"ours: {result.model.name}, {result.model.backend}, {result.model.precision}"
    rows.append(
        [name, f"{ours.p50:.2f}", f"{ours.p95:.2f}", "1", "", "", _overlap(result.accuracy.get("mean_overlap"))]
    )
    for other in result.versus:
        total, ratio = other.latency_ms["total"], other.ratio
        label = f"{other.label} {other.precision}".strip() if other.precision not in other.label else other.label
        spans = [
            f"{ratio_text(low)} to {ratio_text(high)}"
            for low, high in ((ratio.q25, ratio.q75), (ratio.low, ratio.high))
        ]
        values = [
            f"{total.p50:.2f}",
            f"{total.p95:.2f}",
            ratio_text(ratio.median),
            *spans,
            _overlap(other.mean_overlap),
        ]
        rows.append([label, *values])
    return rows


def facts(result: Result) -> list[tuple[str, str]]:
    """What was measured and under which conditions, as names and values."""
    return [*_conditions(result), *_measurements(result)]


def _conditions(result: Result) -> Iterator[tuple[str, str]]:
    board, model, env, method, source = result.board, result.model, result.env, result.method, result.clip
    yield "measured on", f"{result.measured_on}, {board.cores} cores"
    if result.claim.note:
        yield f"--device {result.claim.asked}", result.claim.note
    if board.kind:
        mask = "unknown" if board.tpc_mask is None else hex(board.tpc_mask)
        mode, locked = board.power_mode or "power mode unknown", {True: "locked", False: "floating", None: "unknown"}
        yield "board", f"JetPack {board.jetpack or '?'}, {mode}, TPC mask {mask}, clocks {locked[board.clocks_locked]}"
    refinement = f", refinement {model.refinement}" if model.refinement else ""
    yield "model", f"{model.name} {model.precision}, {model.backend}, {_count(model.threads, 'thread')}{refinement}"
    yield "frames", f"{source.uri}, {source.width}x{source.height}, {source.frames} distinct"
    updates = f"{method.iterations} updates in {method.duration_s:g} s, blocks of {method.block}"
    warm_up = f"warm-up {method.warmup_updates} updates, {'stable' if method.is_warm else 'NOT stable'}"
    yield "method", f"{updates}; {warm_up}"
    busy = "" if env.others_cores is None else f", others used {env.others_cores:g} of {board.cores} cores"
    yield "load average", f"{env.load_average[0]:g} before, {env.load_average[1]:g} after{busy}"


def _measurements(result: Result) -> Iterator[tuple[str, str]]:
    camera = result.realtime
    yield (
        "load, first frame",
        f"{result.load_ms:.0f} ms, {result.first_frame_ms:.1f} ms (then {result.first_update_ms:.1f} ms)",
    )
    memory = [f"{name.replace('_', ' ')} {size:.0f} MB" for name, size in result.memory_mb.items() if size is not None]
    yield "memory", ", ".join(memory)
    yield (
        f"camera of {camera.camera_fps:g} fps",
        (
            f"frame age {camera.frame_age_ms.p50:.1f} ms (p95 {camera.frame_age_ms.p95:.1f}), "
            f"{camera.missed_share:.0%} of its frames missed; {camera.method}"
        ),
    )
    if result.energy:
        energy = result.energy
        yield "energy", f"{energy.j_per_frame:.3f} J a frame above {energy.idle_w:.2f} W idle; {energy.method}"
    if result.thermal.max:
        zone, degrees = max(result.thermal.max.items(), key=lambda item: item[1])
        yield "hottest", f"{zone} {degrees:.1f} C"


def verdict(result: Result) -> list[str]:
    """Whether the measurement is valid, with every reason and note, one line each."""
    lines = ["valid: no check found a problem with these figures"] if result.valid else []
    lines += [f"INVALID, do not quote the absolute figures: {reason}" for reason in result.invalid_reasons]
    return lines + [f"note: {note}" for note in result.notes]


def projected(result: Result) -> tuple[list[list[str]], list[str]]:
    """The projection's table and the result of its check against published speeds; both empty without a projection."""
    figures: dict[str, Any] | None = result.projection
    if not figures:
        return [], []
    return projection_table(figures), [
        f"of {figures['graph']} as an engine in {figures['precision']}",
        *figures["check"]["verdicts"],
    ]


def change_table(changes: Sequence[Change]) -> list[list[str]]:
    """Comparison of two results: rows of text, the first of headings."""
    return [
        ["figure", "before", "after", "change", "gated"],
        *(
            [one.name, f"{one.before:g}", f"{one.after:g}", f"{one.share:+.1%}", "yes" if one.is_gated else ""]
            for one in changes
        ),
    ]


def ratio_text(value: float) -> str:
    """A ratio with two decimals, or two significant digits where it is small.

    >>> ratio_text(0.5), ratio_text(0.00234)
    ('0.50', '0.0023')
    """
    return f"{value:.2f}" if value >= 0.1 else f"{value:.2g}"


def file_stem(result: Result) -> str:
    """File name of a result without suffix, from its conditions: model, precision, backend, machine, mode and time."""
    board = result.board
    machine = board.kind or board.cpu or "unknown"
    stamp = re.sub(r"[-:]|\+.*", "", result.measured_at)
    parts = [result.model.name, result.model.precision, result.model.backend, machine, board.power_mode or "", stamp]
    return "--".join(re.sub(r"[^a-z0-9.]+", "_", part.lower()).strip("_") for part in parts if part)


def _row(spread: Spread) -> list[str]:
    times = [spread.min, spread.p50, spread.p90, spread.p95, spread.p99, spread.max]
    return [*map(_ms, times), f"{spread.cov:.2f}", *map(_ms, spread.percentiles.values())]


def _ms(value: float) -> str:
    return f"{value:.3f}" if value < 10 else f"{value:.2f}"


def _overlap(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
