from __future__ import annotations

import numpy as np
import pytest

from eatrack_edge.evaluation.claims import claims_of, loss_reports
from eatrack_edge.tracking.lifecycle import TrackState

NAN = float("nan")


@pytest.mark.parametrize(
    ("state", "visible", "absent"),
    [
        ("TRACKING", True, False),
        ("REACQUIRED", True, False),
        ("LOST", False, True),
        ("UNCERTAIN", False, False),
        ("SEARCHING", False, False),
        ("", False, False),
    ],
)
def test_each_state_claims_one_thing_or_nothing(state: str, visible: bool, absent: bool) -> None:
    claims = claims_of(np.array(["", state]))
    assert (claims.visible[1], claims.absent[1]) == (visible, absent)


def test_the_states_of_our_tracker_are_known_by_their_names() -> None:
    names = {str(state) for state in TrackState}
    assert {"TRACKING", "UNCERTAIN"} <= names <= {"TRACKING", "UNCERTAIN", "LOST", "REACQUIRED", "COASTING"}


def test_reports_are_compared_with_lost_and_good_frames_and_nothing_between() -> None:
    states = np.array(["", "LOST", "TRACKING", "UNCERTAIN", "LOST", "TRACKING", "LOST", "TRACKING", "TRACKING"])
    overlap = np.array([1.0, NAN, NAN, 0.0, 0.19, 0.3, 0.5, 0.9, 0.2])
    found = loss_reports([(claims_of(states), overlap)])
    # Lost: two without a target, two off it. Good: 0.5 and 0.9. Neither: 0.2 and 0.3. The first frame is given.
    assert (found.lost_frames, found.lost_reported, found.lost_claimed) == (4, 2 / 4, 1 / 4)
    assert (found.good_frames, found.good_reported, found.good_claimed) == (2, 1 / 2, 1 / 2)


def test_frames_of_all_sequences_count_the_same() -> None:
    long = claims_of(np.array(["", "LOST", "LOST", "LOST"])), np.array([1.0, NAN, NAN, NAN])
    short = claims_of(np.array(["", "TRACKING"])), np.array([1.0, NAN])
    assert loss_reports([long, short]).lost_reported == 3 / 4


def test_without_lost_frames_there_is_no_share_of_them() -> None:
    found = loss_reports([(claims_of(np.array(["", "TRACKING"])), np.array([1.0, 1.0]))])
    assert found.lost_frames == 0
    assert np.isnan([found.lost_reported, found.lost_claimed]).all()
