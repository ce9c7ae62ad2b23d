from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from eatrack_edge.session.catch_up import CatchUp
from eatrack_edge.session.history import History
from session.simulated_sessions import live_frame

WITHIN_S = 0.8


def steps(*, behind: int, fps: float, update_ms: float, dropped: int = 1) -> tuple[list[int], float]:
    """Frames from one update to the next until the newest is reached, and when it is, seconds after the selection.

    Args:
        behind: Frames from the one selected on to the newest.
        fps: Rate of the camera.
        update_ms: Time of an update; ``init`` takes twice that.
        dropped: Only every so many frames that come meanwhile are held; the others found the session busy.
    """
    history, now = History(), 2 * update_ms / 1000
    for number in range(behind + 1):
        history.add(replace(live_frame(number), captured_ns=round(1e9 * (number - behind) / fps)))
    start = history.at(0)
    assert start is not None
    catch_up = CatchUp(history, start, 0, round(1e9 * WITHIN_S))
    looked_at, newest = [0], behind
    while not catch_up.is_done:
        for number in range(newest + dropped, behind + int(now * fps) + 1, dropped):
            history.add(replace(live_frame(number), captured_ns=round(1e9 * (number - behind) / fps)))
            newest = number
        looked_at.append(catch_up.next(round(1e9 * now)).shown.index)
        now += update_ms / 1000
    return np.diff(looked_at).tolist(), now


@pytest.mark.parametrize(
    ("behind", "fps", "update_ms", "longest"),
    [
        pytest.param(9, 30, 50, 3, id="0.3 s behind"),
        pytest.param(15, 30, 50, 3, id="0.5 s behind"),
        pytest.param(30, 30, 50, 4, id="1 s behind"),
        pytest.param(15, 30, 28, 2, id="0.5 s behind, an update is shorter than a frame"),
        pytest.param(30, 60, 28, 3, id="0.5 s behind at 60 frames/s"),
        pytest.param(3, 10, 150, 3, id="an update is longer than a frame"),
    ],
)
def test_the_newest_is_reached_in_time_with_even_steps(behind: int, fps: float, update_ms: float, longest: int) -> None:
    taken, reached_s = steps(behind=behind, fps=fps, update_ms=update_ms)
    assert max(taken) == longest
    # The mean step that reaches the newest in the time that is left after `init`, rounded up.
    needed = (behind + WITHIN_S * fps) / (WITHIN_S * 1000 / update_ms - 2)
    assert longest <= np.ceil(needed) + 1
    assert reached_s <= WITHIN_S + 2 * update_ms / 1000


@pytest.mark.parametrize(
    ("behind", "fps", "update_ms"),
    [
        pytest.param(5, 10, 50, id="0.5 s behind at 10 frames/s"),
        pytest.param(30, 30, 10, id="1 s behind, a fast tracker"),
        pytest.param(1, 30, 10, id="one frame behind"),
    ],
)
def test_no_frame_is_skipped_where_there_is_time_for_every_one(behind: int, fps: float, update_ms: float) -> None:
    taken, _ = steps(behind=behind, fps=fps, update_ms=update_ms)
    assert set(taken) == {1}


def test_frames_that_were_dropped_meanwhile_make_no_long_step() -> None:
    taken, _ = steps(behind=15, fps=30, update_ms=50, dropped=2)
    assert max(taken) <= 4


def test_a_tracker_too_slow_for_it_takes_the_newest_once_the_time_is_over() -> None:
    taken, reached_s = steps(behind=15, fps=30, update_ms=500)
    assert (taken, reached_s) == ([15 + 30], 1.5)
