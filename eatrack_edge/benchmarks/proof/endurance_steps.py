"""What only shows over time or beside others: threads, and device memory over many updates."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import cycle

import numpy as np

from eatrack_edge.benchmarks.proof.plan import Figures, Workbench
from eatrack_edge.core.boxes import Box
from eatrack_edge.core.crops import Frame
from eatrack_edge.core.errors import GateFailed
from eatrack_edge.inference.tensorrt.backend import TensorRTBackend
from eatrack_edge.inference.tensorrt.cuda_memory import open_memory
from eatrack_edge.sources.registry import open_source
from eatrack_edge.tracking.tracker import Tracker

_SCENES = "test://?seed=1", "test://?seed=2"
_TENTHS = 10
_MOST_GROWTH_BYTES = 2**20  # over nine tenths of the updates; a leak of 16 bytes an update is more


def two_threads(bench: Workbench) -> Figures:
    """Track two scenes alone, then at once in two threads of one process.

    Raises:
        Skipped: There are no engines.
        GateFailed: The boxes depend on it.
    """
    graphs, made = bench.any_pair()

    def boxes(scene: str) -> list[Box]:
        backend = TensorRTBackend(made.template, made.track)
        try:
            return _scene_boxes(Tracker(backend), scene, bench.plan.frames)
        finally:
            backend.close()

    alone = [boxes(scene) for scene in _SCENES]
    with ThreadPoolExecutor(len(_SCENES)) as threads:
        together = list(threads.map(boxes, _SCENES))
    difference = max(float(np.abs(np.subtract(one, other)).max()) for one, other in zip(alone, together, strict=True))
    if difference > 0:
        raise GateFailed(f"boxes differ by up to {difference:.3g} px where two threads track at once")
    frames = sum(map(len, alone))
    return {"precision": graphs.model_spec.precision, "frames": frames, "largest_difference_px": difference}


def flat_memory(bench: Workbench) -> Figures:
    """Free device memory over many updates, a figure for each tenth of them.

    Raises:
        Skipped: There are no engines.
        GateFailed: It shrinks after the first tenth.
    """
    _, made = bench.any_pair()
    memory = open_memory()
    backend = TensorRTBackend(made.template, made.track, memory=memory.name)
    frames = _scene_frames(_SCENES[0], bench.plan.frames)
    tracker = Tracker(backend)
    tracker.init(*frames[0])
    shown = cycle(frame for frame, _ in [*frames[1:], *reversed(frames[:-1])])  # there and back: no jump
    free = []
    try:
        for tenth in range(_TENTHS):
            for _ in range(bench.plan.updates // _TENTHS):
                tracker.update(next(shown))
            with memory.current():
                free.append(memory.free_bytes())
            bench.say(f"{(tenth + 1) * bench.plan.updates // _TENTHS:,} updates, {free[-1] / 2**20:,.0f} MiB free")
    finally:
        backend.close()
    lost = free[0] - free[-1]
    if lost > _MOST_GROWTH_BYTES:
        raise GateFailed(f"{lost / 2**20:.1f} MiB of device memory were lost over {bench.plan.updates:,} updates")
    return {"updates": bench.plan.updates, "free_bytes": free}


def _scene_frames(scene: str, count: int) -> list[tuple[Frame, Box]]:
    with open_source(f"{scene}&frames={count}") as source:
        return [(item.frame.copy(), item.truth) for item in source if item.truth is not None]


def _scene_boxes(tracker: Tracker, scene: str, count: int) -> list[Box]:
    (first, box), *later = _scene_frames(scene, count)
    tracker.init(first, box)
    return [tracker.update(frame).box for frame, _ in later]
