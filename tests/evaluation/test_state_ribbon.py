from __future__ import annotations

import re

import numpy as np

from eatrack_edge.evaluation.state_ribbon import ABSENT_COLOUR, STATE_COLOURS, state_ribbon

STATES = np.array(["", *["TRACKING"] * 4, *["LOST"] * 3, *["REACQUIRED"] * 2])
ABSENT = np.array([False] * 5 + [True] * 3 + [False] * 2)


def test_a_ribbon_has_a_bar_for_every_stretch_of_one_state_along_the_axis_of_frames() -> None:
    ribbon = state_ribbon({"ours": STATES}, ABSENT, {"ours": "#123456"}, 46)
    notes = re.findall(r"<title>([^<]*)</title>", ribbon)
    assert notes == [
        "target: absent, frames 5 to 7",
        "ours: TRACKING, frames 1 to 4",
        "ours: LOST, frames 5 to 7",
        "ours: REACQUIRED, frames 8 to 9",
        "ours",
    ]
    lost = re.search(rf'<rect [^>]*fill="{STATE_COLOURS["LOST"]}"[^>]*>', ribbon)
    absent = re.search(rf'<rect [^>]*fill="{ABSENT_COLOUR}"[^>]*>', ribbon)
    assert lost
    assert absent
    # Frame 0 is at 46 and frame 9 at 886: the same stretch of both rows begins and ends at the same places.
    places = [re.findall(r' (?:x|width)="([\d.]+)"', bar[0]) for bar in (lost, absent)]
    assert places[0] == places[1]
    assert [float(value) for value in places[0]] == [round(46 + 840 * 5 / 9, 2), round(840 * 3 / 9, 2)]


def test_without_states_there_is_no_ribbon() -> None:
    assert state_ribbon({}, ABSENT, {}, 46) == ""
