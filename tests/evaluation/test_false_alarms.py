from __future__ import annotations

import math

import pytest

from eatrack_edge.evaluation.false_alarms import at_most_per_minute, false_alarms
from evaluation.test_absences import seen


@pytest.mark.parametrize(
    ("claims", "alarms"),
    [
        pytest.param("U" * 20, 0, id="it claims nothing"),
        pytest.param("T" * 10 + "U" * 10, 0, id="it notices within a second"),
        pytest.param("T" * 11 + "U" * 9, 1, id="it notices later"),
        pytest.param("T" * 20, 1, id="it never notices"),
        pytest.param("TTUUTUUUUUTTTTTTTTTT", 2, id="it begins to claim again, twice"),
        pytest.param("TTLLLLLLLLLLLLLLLLLR", 1, id="a re-acquisition of nothing"),
    ],
)
def test_a_false_alarm_is_a_stretch_of_claims_without_a_target(claims: str, alarms: int) -> None:
    found = false_alarms([seen("T" * 5 + claims + "T" * 5, "1" * 5 + "-" * 20 + "1" * 5)])
    assert found.alarms == alarms
    assert found.absent_minutes == pytest.approx(2 / 60)
    assert found.per_minute == pytest.approx(alarms * 30)
    assert found.claimed == pytest.approx((claims.count("T") + claims.count("R")) / 20)


def test_a_claim_after_lost_is_right_on_the_target_and_wrong_elsewhere() -> None:
    states, boxes = "TTLLLRTTLLLUTTLLLRR", "11---0000---0111100"
    assert len(states) == len(boxes)
    found = false_alarms([seen(states, boxes)])
    # At frame 5 on something else, at frame 12, after an uncertain one, on something else; at frame 17 again.
    assert (found.reacquired, found.wrong) == (3, 3)
    right = false_alarms([seen("TTLLLRRRR", "11---1111")])
    assert (right.reacquired, right.wrong) == (1, 0)


def test_uncertain_is_no_loss_so_what_follows_it_is_no_reacquisition() -> None:
    assert false_alarms([seen("TTUUUTTTT", "11---0000")]).reacquired == 0


def test_without_an_absent_target_there_is_no_rate() -> None:
    found = false_alarms([seen("TTT", "111")])
    assert (found.alarms, math.isnan(found.per_minute), math.isnan(found.claimed)) == (0, True, True)


def test_no_event_in_ten_minutes_bounds_the_rate_by_the_rule_of_three() -> None:
    assert at_most_per_minute(0, 10.0) == pytest.approx(0.3)
    assert math.isnan(at_most_per_minute(1, 10.0))
    assert math.isnan(at_most_per_minute(0, 0.0))
