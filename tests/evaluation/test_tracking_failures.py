from __future__ import annotations

import numpy as np

from eatrack_edge.evaluation.tracking_failures import failures_by_frame, first_failure, frame_to_show

GOOD = np.full(12, 0.8)
FAILS = np.array([0.8] * 4 + [0.0] * 8)


def test_a_failure_is_five_frames_without_overlap_whatever_lies_between_them() -> None:
    nan = np.nan
    assert first_failure(np.array([1, 0, 0, 0, 0, 1, 0, 0, 0, 0])) is None
    assert first_failure(np.array([1, 0, 0, nan, nan, 0, 0, 0])) == 1


def test_trackers_that_fail_at_one_frame_are_all_named() -> None:
    overlaps = {"a": FAILS, "b": GOOD, "c": FAILS}
    assert failures_by_frame(overlaps) == {4: ["a", "c"]}
    assert frame_to_show(overlaps) == (4, "Frame 4: a and c lost the target.")


def test_the_picture_is_of_the_best_trackers_failure_not_of_the_earliest() -> None:
    late = np.array([0.8] * 6 + [0.0] * 6)
    assert frame_to_show({"best": late, "other": FAILS}) == (6, "Frame 6: best lost the target.")


def test_without_a_failure_the_picture_is_of_the_best_trackers_worst_frame() -> None:
    dips = GOOD.copy()
    dips[[7, 9]] = 0.25, np.nan
    assert frame_to_show({"a": dips, "b": GOOD}) == (7, "Frame 7: the lowest overlap of a, 0.25; no tracker failed.")
    assert frame_to_show({"a": np.full(3, np.nan)}) is None
