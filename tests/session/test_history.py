from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from eatrack_edge.core.errors import InputError
from eatrack_edge.session.history import MOST_BYTES, History
from eatrack_edge.sources.feed import LiveFrame
from session.simulated_sessions import live_frame

WIDTH, HEIGHT = 64, 48
RAW, PACKED = WIDTH * HEIGHT * 3, WIDTH * HEIGHT * 3 // 2


def picture(number: int, width: int = WIDTH, height: int = HEIGHT) -> LiveFrame:
    """A smooth picture, as cameras deliver: colour steps between neighbouring pixels have no place in 4:2:0."""
    spots = np.random.default_rng(number).integers(60, 200, (4, 4, 3), np.uint8)
    frame = cv2.resize(spots, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.uint8, copy=False)
    return LiveFrame(number, number / 30, frame, captured_ns=1000 * number)


def test_frames_are_found_by_number_and_by_time() -> None:
    history = History()
    for number in (3, 4, 7, 8):
        history.add(replace(live_frame(number), captured_ns=1000 * number))
    assert [history.at(number).index for number in (3, 4, 7, 8)] == [3, 4, 7, 8]
    by_time = map(history.captured_by, (3000, 4000, 6999, 7000, 9999))
    assert [shown.index for shown in by_time] == [3, 4, 4, 7, 8]
    for number in (0, 5, 9):
        with pytest.raises(InputError):
            history.at(number)
    with pytest.raises(InputError):
        history.captured_by(2999)
    nearest = [history.nearest_after(number, at_ns).index for number, at_ns in ((2, 0), (3, 5600), (4, 0), (7, 9999))]
    assert nearest == [3, 7, 7, 8]
    newest = history.newest()
    assert newest is not None
    assert newest.index == 8


def test_an_empty_history_has_no_frame() -> None:
    history = History()
    assert (history.newest(), len(history)) == (None, 0)
    for find in (history.at, history.captured_by):
        with pytest.raises(InputError):
            find(0)


@pytest.mark.parametrize(("capacity", "most_bytes"), [(64, MOST_BYTES), (64, 20 * PACKED), (2, MOST_BYTES)])
def test_a_kept_frame_stays_in_the_same_memory_with_an_even_way_to_the_newest(capacity: int, most_bytes: int) -> None:
    history = History(capacity, most_bytes)
    history.add(picture(0))
    history.keep(0, 1000 * 300)
    for number in range(1, 301):
        history.add(picture(number))
    numbers = history.numbers()
    assert (numbers[0], numbers[-1]) == (0, 300)
    assert sum(held.picture.nbytes for held in history._held) <= most_bytes
    assert len(numbers) <= capacity
    if capacity > 2:
        newest = numbers[len(numbers) // 2 :]
        assert newest == list(range(newest[0], 301))  # what others draw on is there in full
        assert max(np.diff(numbers)) <= 2.5 * 300 / (len(numbers) / 2)
    history.add(picture(301))  # it is later than was asked for
    history.add(picture(302))
    assert 0 not in history.numbers()


def test_a_frame_that_is_gone_cannot_be_kept() -> None:
    history = History(4)
    for number in range(9):
        history.add(picture(number))
    history.keep(7, 10**9)
    history.keep(2, 10**9)
    assert history.kept == 7


def test_what_lies_between_two_frames_is_given_as_it_is_held_and_packed_pictures_grey() -> None:
    history, shown = History(8, 8 * PACKED), [picture(number) for number in range(20)]
    for one in shown:
        history.add(one)
    between = history.between(14, 17)
    assert [held.shape for held in between] == [(HEIGHT, WIDTH)] * 2
    for number, held in zip((15, 16), between, strict=True):
        grey = cv2.cvtColor(shown[number].frame, cv2.COLOR_BGR2GRAY)
        assert np.corrcoef(grey.ravel(), held.ravel())[0, 1] > 0.999
    assert history.between(17, 18) == []
    held_as_it_came = History()
    for one in shown[:3]:
        held_as_it_came.add(one)
    assert held_as_it_came.between(0, 2)[0] is shown[1].frame


def test_pictures_that_fit_are_held_as_they_came() -> None:
    history, shown = History(4, 4 * RAW), [picture(number) for number in range(6)]
    for one in shown:
        history.add(one)
    assert len(history) == 4
    assert all(history.at(number) is shown[number] for number in range(2, 6))


def test_larger_pictures_are_packed_into_half_and_look_the_same() -> None:
    history, shown = History(8, 8 * PACKED), [picture(number) for number in range(20)]
    for one in shown:
        history.add(one)
    assert len(history) == 7  # the newest is held as it came, in the place of two
    for number in range(13, 20):
        held = history.at(number)
        assert held is not None
        assert (held.index, held.captured_ns, held.frame.shape) == (number, 1000 * number, (HEIGHT, WIDTH, 3))
        assert np.abs(held.frame.astype(int) - shown[number].frame).mean() < 3
    assert history.at(19) is shown[19]


def test_a_frame_that_was_given_out_stays_as_it_is_when_its_memory_is_used_again() -> None:
    history = History(8, 4 * PACKED)
    for number in range(4):
        history.add(picture(number))
    held = history.at(2)
    assert held is not None
    before = held.frame.copy()
    for number in range(4, 20):
        history.add(picture(number))
    assert np.array_equal(held.frame, before)


@pytest.mark.parametrize(("width", "height"), [(63, 48), (64, 47)])
def test_pictures_with_an_odd_side_cannot_be_packed_and_are_fewer(width: int, height: int) -> None:
    history = History(8, 4 * RAW)
    for number in range(8):
        history.add(picture(number, width, height))
    assert len(history) == 4
    assert history.at(4) is not None


def test_a_source_that_changes_its_size_is_held_all_along() -> None:
    history = History(8, 8 * PACKED)
    for number in range(4):
        history.add(picture(number))
    for number in range(4, 6):
        history.add(picture(number, WIDTH // 2, HEIGHT // 2))
    shapes = [held.frame.shape[:2] for number in range(6) if (held := history.at(number))]
    assert shapes == [(48, 64)] * 4 + [(24, 32)] * 2


def test_a_picture_larger_than_the_memory_is_still_held_alone() -> None:
    history = History(8, 10)
    history.add(picture(0))
    history.add(picture(1))
    assert (len(history), history.at(1)) == (1, history.newest())


@pytest.mark.parametrize(
    ("width", "height", "seconds"),
    [pytest.param(1280, 720, 2.0, id="720p"), pytest.param(1920, 1080, 2.0, id="1080p"), pytest.param(3840, 2160, 0.4, id="4K")],
)  # fmt: skip
def test_seconds_held_at_30_frames_a_second(width: int, height: int, seconds: float) -> None:
    frame = np.zeros((height, width, 3), np.uint8)
    history = History()
    for number in range(66):
        history.add(LiveFrame(number, number / 30, frame))
    assert (len(history) - 1) / 30 >= seconds
    assert sum(held.picture.nbytes for held in history._held) <= MOST_BYTES
