from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from eatrack_edge.core.boxes import Box, check_box, iou
from eatrack_edge.core.errors import InputError
from eatrack_edge.tracking import proposal
from eatrack_edge.tracking.proposal import propose_box

WIDTH, HEIGHT = 320, 240


def scene(box: Box, colour: tuple[int, int, int] = (40, 40, 210)) -> NDArray[np.uint8]:
    """An ellipse with some texture on a mottled ground."""
    noise = np.random.default_rng(0)
    spots = noise.integers(90, 140, (12, 16, 3), np.uint8)
    frame = cv2.resize(spots, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR).astype(np.uint8, copy=False)
    x, y, w, h = box
    cv2.ellipse(frame, ((x + w / 2, y + h / 2), (w, h), 0), colour, -1)
    return np.clip(frame + noise.normal(0, 4, frame.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    "box",
    [
        pytest.param((100.0, 80.0, 14.0, 14.0), id="usual"),
        pytest.param((200.0, 60.0, 8.0, 18.0), id="a person"),
        pytest.param((60.0, 150.0, 40.0, 18.0), id="a boat"),
        pytest.param((120.0, 60.0, 60.0, 70.0), id="near"),
        pytest.param((2.0, 2.0, 16.0, 16.0), id="in the corner"),
    ],
)
@pytest.mark.parametrize(("across", "down"), [(0.5, 0.5), (0.35, 0.6)], ids=["centre", "off the centre"])
def test_what_stands_out_under_the_point_is_boxed_whatever_its_size(box: Box, across: float, down: float) -> None:
    x, y, w, h = box
    proposed = propose_box(scene(box), x + across * w, y + down * h)
    assert iou(np.array([proposed]), np.array([box]))[0] > 0.6


def test_the_same_point_gives_the_same_box() -> None:
    frame = scene((100, 80, 14, 20))
    cv2.setRNGSeed(5)
    assert len({propose_box(frame, 107, 90) for _ in range(3)}) == 1


def test_where_nothing_stands_out_the_box_is_a_square_of_a_fixed_size() -> None:
    flat = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    x, y, w, h = propose_box(flat, 100, 50)
    assert (x + w / 2, y + h / 2, w) == pytest.approx((100, 50, h))
    assert w > 2


@pytest.mark.parametrize("point", [(-1, 5), (WIDTH, 5), (5, HEIGHT), (float("nan"), 5)])
def test_a_point_outside_the_frame_is_refused(point: tuple[float, float]) -> None:
    with pytest.raises(InputError, match=r"the point .* lies outside the frame, 320x240"):
        propose_box(scene((100, 80, 14, 14)), *point)


def test_a_box_that_was_found_mostly_outside_is_cut_so_that_it_can_be_tracked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proposal, "_foreground_box", lambda *_: (-40.0, 50.0, 44.0, 20.0))
    box = propose_box(scene((100, 80, 14, 14)), 2, 60)
    assert check_box(box, WIDTH, HEIGHT) == (0.0, 50.0, 4.0, 20.0)


def test_a_frame_of_a_few_pixels_gives_a_box() -> None:
    assert min(propose_box(np.zeros((2, 3, 3), np.uint8), 1, 1)[2:]) > 0
