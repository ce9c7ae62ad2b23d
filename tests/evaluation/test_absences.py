from __future__ import annotations

import numpy as np
import pytest

from eatrack_edge.evaluation.absences import Absence, Seen, absences, delays, found_again, noticed
from eatrack_edge.evaluation.claims import claims_of

FPS = 10.0
INF, NAN = float("inf"), float("nan")
# One letter a frame. States: Tracking, Uncertain, Lost, Reacquired. Boxes: 1 on the target, 0 off it, - no target.
STATES = {"T": "TRACKING", "U": "UNCERTAIN", "L": "LOST", "R": "REACQUIRED"}


def seen(states: str, boxes: str, back_at: float = 10.0) -> Seen:
    """A sequence at 10 frames a second; the target of 10 by 10 px comes back at this x."""
    overlap = np.array([{"1": 0.8, "0": 0.0, "-": NAN}[letter] for letter in boxes])
    truth = np.tile([10.0, 10.0, 10.0, 10.0], (len(boxes), 1))
    truth[np.isnan(overlap)] = NAN
    if "-" in boxes:
        truth[boxes.rindex("-") + 1 :, 0] = back_at
    return Seen(claims_of(np.array([STATES[letter] for letter in states])), overlap, truth, FPS)


def only(states: str, boxes: str, back_at: float = 10.0) -> Absence:
    (found,) = absences(seen(states, boxes, back_at))
    return found


def test_delays_are_counted_from_the_first_frame_without_the_target_and_from_its_return() -> None:
    #           0123456789012345678901234567
    states = "TTTTTTTUUULLLLLLLLLLLLUTTTTT"
    boxes_ = "11111---------------11011111"
    found = only(states, boxes_)
    assert found == Absence(1.5, pytest.approx(0.2), pytest.approx(0.5), pytest.approx(0.8), pytest.approx(0.3), True)


def test_what_never_happens_takes_for_ever() -> None:
    found = only("T" * 30, "1" * 5 + "-" * 12 + "0" * 13)
    assert (found.silent_s, found.lost_s, found.found_s) == (INF, INF, INF)


def test_a_claim_on_something_else_does_not_find_the_target() -> None:
    assert only("TTTTT" + "L" * 12 + "RRRRR", "11111" + "-" * 12 + "00011").found_s == pytest.approx(0.3)
    assert only("TTTTT" + "L" * 12 + "UUUUR", "11111" + "-" * 12 + "11111").found_s == pytest.approx(0.4)


def test_an_absence_counts_only_if_the_tracker_was_on_the_target() -> None:
    assert absences(seen("T" * 30, "1" + "0" * 11 + "-" * 10 + "1" * 8)) == []
    assert absences(seen("T" + "U" * 29, "1" * 12 + "-" * 10 + "1" * 8)) == [], "it claimed nothing for a second"
    assert len(absences(seen("T" * 30, "1" * 5 + "0" * 7 + "-" * 10 + "1" * 8))) == 1, "covered within the last second"


def test_each_absence_is_a_case_of_its_own_and_its_return_ends_with_the_next_one() -> None:
    first, second = absences(seen("T" * 30, "1" * 5 + "-" * 5 + "1" * 5 + "-" * 10 + "1" * 5))
    assert (first.seconds, first.back_s, second.seconds, second.back_s) == (0.5, 0.5, 1.0, 0.5)


def test_a_sequence_that_ends_without_the_target_has_no_return() -> None:
    found = only("T" * 20, "1" * 5 + "-" * 15)
    assert (found.back_s, found.found_s, found.is_near) == (0.0, INF, False)
    assert found_again([found]).cases == 0


@pytest.mark.parametrize(("back_at", "is_near"), [(10.0, True), (90.0, True), (91.0, False)])
def test_a_return_is_near_within_eight_sides_of_the_last_box(back_at: float, is_near: bool) -> None:
    found = only("T" * 30, "1" * 5 + "-" * 10 + "1" * 15, back_at)
    assert found.is_near is is_near
    assert found_again([found], only_near=True).cases == int(is_near)


def test_only_absences_and_returns_of_a_second_tell_what_happens_within_one() -> None:
    short = only("T" * 30, "1" * 5 + "-" * 9 + "1" * 16)
    long = only("T" * 30, "1" * 5 + "-" * 10 + "1" * 15)
    assert [part.cases for part in noticed([short, long])] == [1, 1]
    assert found_again([short, only("T" * 30, "1" * 5 + "-" * 16 + "1" * 9)]).cases == 1


def test_delays_are_summarised_by_rank_so_that_never_does_not_spoil_the_median() -> None:
    found = delays([0.2, 1.0, 0.4, INF, 1.2])
    assert found == (5, 1.0, INF, pytest.approx(3 / 5))
    assert delays([0.1] * 9 + [INF]).p90 == 0.1
    empty = delays([])
    assert empty.cases == 0
    assert np.isnan([empty.median, empty.p90, empty.soon]).all()


def test_a_target_that_is_never_absent_has_no_absences() -> None:
    assert absences(seen("TTT", "111")) == []
