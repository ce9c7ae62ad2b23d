from __future__ import annotations

import numpy as np
import pytest

from eatrack_edge.evaluation.confidence_calibration import Calibration, calibrate
from eatrack_edge.evaluation.metrics import SequenceScore
from eatrack_edge.evaluation.track_store import Track


def calibration(confidence: list[float], overlap: list[float]) -> Calibration | None:
    frames = len(confidence) + 1
    empty = np.zeros(0)
    track = Track(np.zeros((frames, 4)), np.array([np.nan, *confidence]), np.zeros(frames))
    return calibrate([(track, SequenceScore(empty, empty, empty, np.array([1.0, *overlap]), empty))])


def test_a_confidence_that_equals_the_overlap_has_no_error() -> None:
    found = calibration([0.15, 0.55, 0.95], [0.15, 0.55, 0.95])
    assert found is not None
    assert found.expected_error == pytest.approx(0)
    assert found.frames.tolist() == [0, 1, 0, 0, 0, 1, 0, 0, 0, 1]


def test_the_error_weighs_bins_by_their_frames() -> None:
    found = calibration([0.95, 0.95, 0.95, 0.05], [0.75, 0.75, 0.75, 0.05])
    assert found is not None
    assert found.expected_error == pytest.approx(0.2 * 3 / 4)


def test_the_threshold_separates_lost_from_tracked_frames_where_possible() -> None:
    found = calibration([0.1, 0.2, 0.6, 0.9], [0.0, 0.0, 0.5, 0.8])
    assert found is not None
    assert found.lost_below == pytest.approx(0.4)
    assert (found.lost_precision, found.lost_recall, found.lost_frames) == (1.0, 1.0, 2)


def test_precision_and_recall_are_those_of_the_best_f1() -> None:
    found = calibration([0.1, 0.2, 0.3, 0.4, 0.9], [0.0, 0.7, 0.0, 0.7, 0.7])
    assert found is not None
    # Below 0.35: two of three called frames are lost, and both lost frames are called.
    assert (found.lost_below, found.lost_recall) == (pytest.approx(0.35), 1.0)
    assert found.lost_precision == pytest.approx(2 / 3)


def test_a_frame_without_a_target_counts_as_lost_but_not_for_the_error() -> None:
    found = calibration([0.1, 0.8], [np.nan, 0.8])
    assert found is not None
    assert (found.lost_frames, int(found.frames.sum())) == (1, 1)
    assert found.expected_error == pytest.approx(0)


def test_equal_confidences_are_never_split() -> None:
    found = calibration([0.5, 0.5, 0.5, 0.9], [0.0, 0.0, 0.6, 0.8])
    assert found is not None
    assert found.lost_precision == pytest.approx(2 / 3)


def test_a_target_that_is_never_lost_has_no_threshold() -> None:
    found = calibration([0.5, 0.9], [0.6, 0.8])
    assert found is not None
    assert np.isnan(found.lost_below)


def test_a_tracker_without_confidence_has_no_calibration() -> None:
    assert calibration([np.nan, np.nan], [0.5, 0.5]) is None
    assert calibrate([]) is None
