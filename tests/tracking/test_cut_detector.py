from __future__ import annotations

import functools

import numpy as np
import pytest

from eatrack_edge.core.crops import Frame
from eatrack_edge.sources.registry import open_source
from eatrack_edge.tracking.cut_detector import CutDetector


@functools.cache
def clip(seed: int) -> list[Frame]:
    with open_source(f"test://?seed={seed}&frames=9&width=320&height=240") as source:
        return [item.frame.copy() for item in source]


def cuts(*frames: Frame) -> list[bool]:
    detector = CutDetector()
    return [detector.observe(frame) for frame in frames]


def test_a_flight_has_no_cut() -> None:
    assert not any(cuts(*clip(1)))
    assert not any(cuts(*clip(1)[::4]))


def test_another_place_is_a_cut_at_its_first_frame_and_so_is_the_return() -> None:
    elsewhere = [255 - frame for frame in clip(2)[:2]]
    assert cuts(*clip(1)[:2], *elsewhere, *clip(1)[2:4]) == [False, False, True, False, True, False]


@pytest.mark.parametrize("level", [60, -40], ids=["brighter", "darker"])
def test_a_flash_is_no_cut(level: int) -> None:
    flash = np.clip(clip(1)[1].astype(int) + level, 0, 255).astype(np.uint8)
    assert not any(cuts(clip(1)[0], flash, clip(1)[2]))


def test_a_fast_pan_is_no_cut() -> None:
    wide = np.tile(clip(1)[0], (1, 2, 1))
    assert not any(cuts(*(wide[:, left : left + 320] for left in range(0, 320, 80))))


@pytest.mark.parametrize("level", [0, 255], ids=["black", "white"])
def test_a_frame_that_shows_nothing_is_left_out(level: int) -> None:
    nothing = np.full((240, 320, 3), level, np.uint8)
    assert not any(cuts(nothing, clip(1)[0], nothing, clip(1)[1]))
    assert cuts(clip(1)[0], nothing, 255 - clip(1)[1]) == [False, False, True]


def test_frames_of_any_size_are_compared() -> None:
    assert cuts(clip(1)[0], clip(1)[1][::3, ::3], np.zeros((1, 1, 3), np.uint8)) == [False, False, False]
