"""Latency of trackers on the same frames: warmed up until stable, then interleaved block by block.

What is timed is ``update``, as a deployed program calls it, on frames that were just decoded.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eatrack_edge.benchmarks.measure.bench_result import Realtime, Spread
from eatrack_edge.benchmarks.measure.frame_blocks import Block
from eatrack_edge.core.boxes import Box, iou
from eatrack_edge.core.crops import Frame
from eatrack_edge.evaluation.realtime import LiveCamera

STAGES = ("decode", "crop", "copy_in", "infer", "copy_out", "maps", "template", "around_infer", "total", "end_to_end")
WARM_WITHIN = 0.05  # medians of two blocks in a row may differ by so much
WARM_BLOCKS = 20  # most blocks of warm-up
_KEPT = 3  # decimals of a millisecond worth writing down


@dataclass(frozen=True, slots=True)
class Plan:
    """How long to measure; the names are trtexec's.

    Attributes:
        iterations: Fewest updates to measure, of each tracker.
        duration_s: Shortest time to measure, of all trackers together. Both are reached.
        warmup_ms: Shortest warm-up of each tracker; it goes on until stable.
        block: Frames that one tracker goes through before the next one's turn.
    """

    iterations: int = 100
    duration_s: float = 10.0
    warmup_ms: float = 500.0
    block: int = 10


class Contestant:
    """A tracker on the bench.

    Args:
        label: Name for tables.
        open_follower: Opens the tracker; timed.

    Attributes:
        load_ms: What opening took.
        first_frame_ms: What the first ``init`` took.
        first_update_ms: What the first ``update`` took.
        stages: Milliseconds of every measured update by stage; ``nan`` where the stage cannot be told apart.
        block_ms: Median total of every measured block.
        spans: When each measured block began and ended, by ``perf_counter``, and how many updates were in it.
        overlaps: With the truth, of every measured update whose truth is known.
    """

    def __init__(self, label: str, open_follower: Callable[[], Any]) -> None:
        self.label = label
        start = perf_counter()
        self.follower = open_follower()
        self.load_ms = _since(start)
        self.first_frame_ms = self.first_update_ms = math.nan
        self.stages: dict[str, list[float]] = {stage: [] for stage in STAGES}
        self.block_ms: list[float] = []
        self.spans: list[tuple[float, float, int]] = []
        self.overlaps: list[float] = []
        self.warmup_updates = 0
        self.is_warm = False

    def start(self, frame: Frame, box: Box) -> None:
        """``init`` on a frame; only the first counts."""
        start = perf_counter()
        self.follower.init(frame, box)
        if math.isnan(self.first_frame_ms):
            self.first_frame_ms = _since(start)

    def warm(self, block: Block) -> tuple[float, float]:
        """Go through a block unmeasured; the median update and the whole, milliseconds."""
        took = [self._update(frame)[0] for frame in block.frames]
        if math.isnan(self.first_update_ms):
            self.first_update_ms = took[0]
        self.warmup_updates += len(took)
        return float(np.median(took)), sum(took)

    def measure(self, block: Block) -> None:
        """Go through a block and keep what it took."""
        began, before = perf_counter(), len(self.stages["total"])
        for frame, decode_ms, truth in zip(block.frames, block.decode_ms, block.truth, strict=True):
            total, seen = self._update(frame)
            for stage, value in _stage_times(decode_ms, total, seen, self.follower).items():
                self.stages[stage].append(value)
            if truth is not None:
                self.overlaps.append(float(iou(np.array([seen.box]), np.array([truth]))[0]))
        self.spans.append((began, perf_counter(), len(block.frames)))
        self.block_ms.append(float(np.median(self.stages["total"][before:])))

    def _update(self, frame: Frame) -> tuple[float, Any]:
        start = perf_counter()
        seen = self.follower.update(frame)
        return _since(start), seen


def _stage_times(decode_ms: float, total: float, seen: Any, follower: Any) -> dict[str, float]:
    nan = math.nan
    times = dict.fromkeys(STAGES, nan) | {"decode": decode_ms, "total": total, "end_to_end": decode_ms + total}
    latency = getattr(seen, "latency_ms", None)
    if latency is None:  # a peer: it does not say where its time went
        return times
    timing = getattr(getattr(follower, "backend", None), "timing_ms", None)
    copy_in, run, copy_out = timing if timing is not None else (nan, nan, nan)
    infer = latency.infer if math.isnan(run) else run
    return times | {
        "crop": latency.crop,
        "copy_in": copy_in,
        "infer": infer,
        "copy_out": copy_out,
        "maps": latency.decode,
        "template": latency.template,
        "around_infer": total - infer,
    }


def warm_up(contestants: Sequence[Contestant], blocks: Iterator[Block], box: Box, plan: Plan) -> None:
    """Run unmeasured until each tracker's medians of two blocks in a row lie within ``WARM_WITHIN``.

    At least ``plan.warmup_ms`` of each, at most ``WARM_BLOCKS`` blocks; ``is_warm`` says which of the two ended it.
    """
    medians: dict[int, list[float]] = {place: [] for place in range(len(contestants))}
    spent = dict.fromkeys(medians, 0.0)
    for block in (next(blocks) for _ in range(WARM_BLOCKS)):
        for place, contestant in enumerate(contestants):
            if block.first is not None:
                contestant.start(block.first, box)
            median, whole = contestant.warm(block)
            medians[place].append(median)
            spent[place] += whole
            # Once is enough: that all are stable in the same block would be luck, the more of it the more there are.
            contestant.is_warm |= spent[place] >= plan.warmup_ms and _is_stable(medians[place])
        if all(contestant.is_warm for contestant in contestants):
            return


def measure(
    contestants: Sequence[Contestant],
    blocks: Iterator[Block],
    box: Box,
    plan: Plan,
    on_block: Callable[[int, float], None],
) -> float:
    """Measure until both ``plan.iterations`` and ``plan.duration_s`` are reached.

    The order of turns rotates from block to block, so that none always meets the caches of the same one before it.

    Args:
        contestants: Warmed up.
        blocks: The same iterator that the warm-up used.
        box: Of the target, at the source's start.
        plan: How long.
        on_block: Told updates done of each and seconds gone; raise from it to stop.

    Returns:
        Seconds that it took.
    """
    start = perf_counter()
    done, seconds = 0, 0.0
    for turn in count():
        if done >= plan.iterations and seconds >= plan.duration_s:
            break
        block = next(blocks)
        shift = turn % len(contestants)
        for contestant in (*contestants[shift:], *contestants[:shift]):
            if block.first is not None:
                contestant.start(block.first, box)
            contestant.measure(block)
        done += len(block.frames)
        seconds = perf_counter() - start
        on_block(done, seconds)
    return seconds


def _is_stable(medians: list[float]) -> bool:
    return len(medians) > 1 and abs(medians[-1] / medians[-2] - 1) <= WARM_WITHIN


def spread(values: Sequence[float], percentiles: Sequence[float] = ()) -> Spread:
    """Sum up a quantity.

    Args:
        values: At least one, finite.
        percentiles: Further ones to give, (0, 100).

    >>> spread([1.0, 2.0, 3.0]).p50
    2.0
    """
    table: NDArray[np.float64] = np.asarray(values, dtype=np.float64)
    p50, p90, p95, p99 = (round(float(value), _KEPT) for value in np.percentile(table, (50, 90, 95, 99)))
    mean = float(table.mean())
    return Spread(
        count=len(table),
        min=round(float(table.min()), _KEPT),
        mean=round(mean, _KEPT),
        p50=p50,
        p90=p90,
        p95=p95,
        p99=p99,
        max=round(float(table.max()), _KEPT),
        cov=round(float(table.std() / mean), 4) if mean else 0.0,
        percentiles={f"{asked:g}": round(float(np.percentile(table, asked)), _KEPT) for asked in percentiles},
    )


def spreads(contestant: Contestant, percentiles: Sequence[float] = ()) -> dict[str, Spread]:
    """Every stage that could be told apart."""
    return {
        stage: spread(values, percentiles)
        for stage, values in contestant.stages.items()
        if values and not any(map(math.isnan, values))
    }


def histogram(values: Sequence[float], bins: int = 40) -> dict[str, list[float]]:
    """Edges and counts; the slowest hundredth shares the last bin, or one outlier would flatten all others."""
    low, high = min(values), float(np.percentile(values, 99))
    clipped = np.minimum(values, high)
    counts, edges = np.histogram(clipped, bins=bins, range=(low, max(high, low + 1e-3)))
    return {"edges": [round(float(edge), _KEPT) for edge in edges], "counts": [float(one) for one in counts]}


def replay(update_ms: Sequence[float], camera_fps: float) -> Realtime:
    """What a live camera would have seen of these updates: each takes the newest frame there is, or waits for one.

    Args:
        update_ms: Latency of one update after the other.
        camera_fps: Frames a second, evenly.

    >>> replay([10.0, 10.0, 10.0], 50.0).missed_share
    0.0
    >>> replay([30.0, 30.0, 30.0, 30.0], 50.0).frame_age_ms.max
    40.0
    """
    camera, last = LiveCamera(camera_fps), -1
    ages: list[float] = []
    for took in update_ms:
        last = camera.next_frame
        ages.append(1000 * camera.pass_time(took / 1000))
    missed = 1 - len(ages) / (last + 1)
    return Realtime(camera_fps, spread(ages), round(missed, 4))


def _since(start: float) -> float:
    return 1000 * (perf_counter() - start)
