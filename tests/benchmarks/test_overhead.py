"""What tracking costs beside inference, over the frames of an hour of flight; a simulated backend answers at once."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter

import cv2
import numpy as np
import pytest

from eatrack_edge.contract import Contract, Cropping
from eatrack_edge.crops import Frame
from eatrack_edge.machine.memory import rss_bytes
from eatrack_edge.runtime.backends import InferTiming, Maps
from eatrack_edge.runtime.tracker import Tracker

UPDATES = 100_000
WIDTH, HEIGHT = 64.0, 48.0  # of the target, pixels


class Instant:
    """Sees the target in the middle of every search crop, surely, so that every frame is also stored."""

    name = "simulated"
    timing_ms = InferTiming(0.0, 0.0, 0.0)

    def __init__(self) -> None:
        self.contract = Contract("simulated", 384, 128, 256, 2, Cropping(window="subpixel"))
        score = np.full((16, 16), 0.01, np.float32)
        score[8, 8] = 0.9
        side = 4 * (WIDTH * HEIGHT) ** 0.5
        size = np.stack([np.full((16, 16), WIDTH / side), np.full((16, 16), HEIGHT / side)]).astype(np.float32)
        self.maps = Maps(score, np.zeros((2, 16, 16), np.float32), size, np.ones((256, 384), np.float32))

    def encode_template(self, crop: Frame, slots: Sequence[int]) -> None:
        assert crop.shape == (128, 128, 3), slots

    def infer(self, search: Frame) -> Maps:
        assert search.shape == (256, 256, 3)
        return self.maps


def started(width: int, height: int) -> tuple[Tracker, Frame]:
    frame = np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8)
    tracker = Tracker(Instant())
    tracker.init(frame, (width / 2, height / 2, WIDTH, HEIGHT))
    return tracker, frame


def milliseconds(tracker: Tracker, frame: Frame) -> float:
    start = perf_counter()
    tracker.update(frame)
    return 1000 * (perf_counter() - start)


def test_the_overhead_does_not_grow_with_the_frame() -> None:
    cv2.setNumThreads(1)
    sizes = [started(1280, 720), started(1920, 1080), started(3840, 2160)]
    # In turns, the best of each: a busy machine slows all of them.
    best = np.min([[milliseconds(*one) for one in sizes] for _ in range(60)], axis=0)
    assert best.max() < 1.5 * best.min()


@pytest.mark.slow
def test_the_overhead_and_memory_stay_flat_over_an_hour_of_frames() -> None:
    cv2.setNumThreads(1)
    tracker, frame = started(1920, 1080)
    took = np.empty(UPDATES)
    after_start = 0
    for index in range(UPDATES):
        took[index] = milliseconds(tracker, frame)
        if index == UPDATES // 100:
            after_start = rss_bytes()
    tenths = np.percentile(took.reshape(10, -1), 25, axis=1)  # the quarter that others disturbed least
    print(f"{UPDATES} updates at 1080p: p50 {np.median(took):.3f} ms, p99 {np.percentile(took, 99):.3f} ms")
    print(f"lower quartile by tenths: {tenths.round(3)} ms; memory grew by {(rss_bytes() - after_start) / 1e6:.1f} MB")
    assert tenths.max() < 1.25 * tenths.min()
    assert rss_bytes() - after_start < 5e6
