from __future__ import annotations

import numpy as np
import pytest

from eatrack_edge.evaluation.claims import claims_of
from eatrack_edge.evaluation.vot_long_term import (
    Prediction,
    choose_thresholds,
    claimed_scores,
    f_scores,
    precision_recall,
)

NAN = float("nan")


def prediction(overlap: list[float], confidence: list[float], states: list[str] | None = None) -> Prediction:
    """A sequence whose first frame is the given box, as in every run."""
    claims = None if states is None else claims_of(np.array(["", *states]))
    return Prediction(np.array([1.0, *overlap]), np.array([NAN, *confidence]), claims)


# Worked by hand: a target in four of five frames, the first of them given, and absent in frame 3.
ONE = prediction([0.8, 0.6, NAN, 0.4], [0.9, 0.5, 0.7, 0.3])
TWO = prediction([1.0, NAN], [0.8, 0.6])


def test_precision_is_over_predicted_frames_and_recall_over_frames_with_a_target() -> None:
    found = precision_recall([ONE])
    assert found is not None
    assert found.thresholds.tolist() == [np.inf, 0.9, 0.7, 0.5, 0.3, -np.inf]
    np.testing.assert_allclose(found.precision, [1, 0.8, 0.8 / 2, 1.4 / 3, 1.8 / 4, 1.8 / 4])
    np.testing.assert_allclose(found.recall, [0, 0.8 / 4, 0.8 / 4, 1.4 / 4, 1.8 / 4, 1.8 / 4])
    np.testing.assert_allclose(found.f_score, [0, 0.32, 4 / 15, 0.4, 0.45, 0.45])
    assert (found.thresholds[found.best], found.f_score[found.best]) == (0.3, pytest.approx(0.45))


def test_sequences_are_averaged_at_each_threshold_before_the_f_score_is_taken() -> None:
    found = precision_recall([ONE, TWO])
    assert found is not None
    assert found.thresholds.tolist() == [np.inf, 0.9, 0.8, 0.7, 0.6, 0.5, 0.3, -np.inf]
    # At 0.9 nothing of the second sequence is predicted: precision 1, recall 0.
    assert (found.precision[1], found.recall[1]) == (pytest.approx((0.8 + 1) / 2), pytest.approx(0.2 / 2))
    assert (found.precision[2], found.recall[2]) == (pytest.approx((0.8 + 1) / 2), pytest.approx((0.2 + 0.5) / 2))
    assert found.f_score[2] == pytest.approx(2 * 0.9 * 0.35 / 1.25)


def test_a_tracker_that_is_always_right_scores_all_but_the_given_frame() -> None:
    found = precision_recall([prediction([1, 1, 1], [0.5, 0.6, 0.7])])
    assert found is not None
    assert (found.precision[found.best], found.recall[found.best]) == (1.0, 0.75)


def test_an_absent_target_lowers_the_precision_of_who_predicts_it_and_not_the_recall() -> None:
    present = prediction([0.5, 0.5], [0.9, 0.9])
    followed = prediction([0.5, 0.5, NAN, NAN], [0.9, 0.9, 0.9, 0.9])
    found, lower = precision_recall([present]), precision_recall([followed])
    assert found is not None
    assert lower is not None
    assert (found.precision[1], lower.precision[1]) == (0.5, 0.25)
    assert found.recall[1] == lower.recall[1] == pytest.approx(1 / 3)


def test_a_frame_reported_lost_is_never_predicted() -> None:
    found = precision_recall([prediction([0.8, NAN], [0.9, 0.9], ["TRACKING", "LOST"])])
    assert found is not None
    assert found.precision[-1] == pytest.approx(0.8)
    uncertain = precision_recall([prediction([0.8, NAN], [0.9, 0.9], ["TRACKING", "UNCERTAIN"])])
    assert uncertain is not None
    assert uncertain.precision[-1] == pytest.approx(0.4), "UNCERTAIN has a box"


def test_a_tracker_without_confidence_has_no_curve() -> None:
    assert precision_recall([prediction([0.8, 0.8], [NAN, NAN])]) is None
    assert precision_recall([]) is None


@pytest.mark.parametrize("seed", range(5))
def test_every_threshold_agrees_with_the_definition_frame_by_frame(seed: int) -> None:
    random = np.random.default_rng(seed)
    sequences = []
    for frames in (40, 150, 90):
        overlap = np.where(random.random(frames) < 0.2, NAN, random.random(frames))
        overlap[0] = 1.0
        confidence = random.random(frames).round(2)  # many are equal
        confidence[0] = NAN
        sequences.append(Prediction(overlap, confidence))
    found = precision_recall(sequences)
    assert found is not None
    assert len(found.thresholds) == 100
    for place, threshold in enumerate(found.thresholds):
        precisions, recalls = [], []
        for one in sequences:
            predicted = [
                float(o) if o == o else 0.0 for o, c in zip(one.overlap, one.confidence, strict=True) if c >= threshold
            ]
            visible = sum(bool(o == o) for o in one.overlap)
            precisions.append(sum(predicted) / len(predicted) if predicted else 1.0)
            recalls.append(sum(predicted) / visible)
        assert found.precision[place] == pytest.approx(np.mean(precisions))
        assert found.recall[place] == pytest.approx(np.mean(recalls))


def test_thresholds_are_ranks_so_that_the_scale_of_a_confidence_does_not_matter() -> None:
    confidence = np.random.default_rng(0).random(1000)
    ours, theirs = choose_thresholds([confidence]), choose_thresholds([confidence * 300 - 7])
    assert len(ours) == 100
    np.testing.assert_allclose(theirs[1:-1], ours[1:-1] * 300 - 7)
    assert (np.diff(ours[1:-1]) < 0).all()


def test_what_is_claimed_is_scored_without_a_threshold() -> None:
    one = prediction([0.8, 0.6, NAN, 0.4], [0.1, 0.1, 0.1, 0.1], ["TRACKING", "REACQUIRED", "TRACKING", "UNCERTAIN"])
    # The given frame is claimed, with an overlap of 1.
    assert claimed_scores([one]) == (pytest.approx((1 + 0.8 + 0.6 + 0) / 4), pytest.approx((1 + 0.8 + 0.6) / 4))
    assert claimed_scores([one, ONE]) is None, "one of them has no states"


def test_the_f_score_of_nothing_is_0() -> None:
    assert f_scores(np.zeros(1), np.zeros(1)).tolist() == [0.0]
