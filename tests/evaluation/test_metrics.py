from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eatrack_edge.core.errors import InputError, UsageError
from eatrack_edge.evaluation.metrics import (
    ERROR_THRESHOLDS_PX,
    OVERLAP_THRESHOLDS,
    mean_score,
    score_sequence,
)
from eatrack_edge.evaluation.protocol import PROTOCOLS, protocol

OTB = PROTOCOLS["otb"]
NAN = [np.nan] * 4


def rows(*boxes: list[float]) -> np.ndarray:
    return np.array(boxes, np.float64)


def random_boxes(seed: int, count: int = 200) -> np.ndarray:
    generator = np.random.default_rng(seed)
    return np.concatenate([generator.uniform(1, 60, (count, 2)), generator.uniform(5, 40, (count, 2))], axis=1)


def test_a_perfect_tracker_fails_only_at_threshold_1() -> None:
    truth = random_boxes(0)
    score = score_sequence(truth, truth, OTB)
    assert score.success.tolist() == [1.0] * 20 + [0.0]  # overlap 1 is not above 1
    assert score.success_auc == pytest.approx(20 / 21)
    assert score.precision_20px == 1.0


def test_success_is_strictly_above_its_threshold() -> None:
    truth = rows([10, 10, 8, 8], [10, 10, 8, 8])
    half = rows([10, 10, 8, 8], [10, 10, 4, 8])  # overlap exactly 0.5
    assert score_sequence(half, truth, OTB).success[9:12].tolist() == [1.0, 0.5, 0.5]


def test_precision_counts_an_error_of_exactly_its_threshold() -> None:
    truth = rows([10, 10, 8, 8], [10, 10, 8, 8])
    shifted = rows([10, 10, 8, 8], [30, 10, 8, 8])  # 20 px
    assert score_sequence(shifted, truth, OTB).precision[19:21].tolist() == [0.5, 1.0]


def test_the_normalised_error_is_in_sides_of_the_true_box() -> None:
    truth = rows([10, 10, 10, 100], [10, 10, 10, 100])
    shifted = rows([10, 10, 10, 100], [10, 30, 10, 100])  # 20 px of 100
    assert score_sequence(shifted, truth, OTB).normalised[19:21].tolist() == [0.5, 1.0]


@pytest.mark.parametrize(
    ("name", "first"),
    [("otb", 1.0), ("pytracking", 1.0), ("lasot", 1.0), ("got10k", 1.0), ("pysot", 0.5)],
)
def test_the_first_prediction_is_replaced_except_by_pysot(name: str, first: float) -> None:
    truth = rows([10, 10, 8, 8], [10, 10, 8, 8])
    assert score_sequence(rows([90, 90, 8, 8], [10, 10, 8, 8]), truth, PROTOCOLS[name]).success[0] == first


@pytest.mark.parametrize(
    ("name", "success", "precision"),
    [
        pytest.param("otb", 0.5, 1.0, id="otb: absent is precise"),
        pytest.param("pysot", 0.5, 1.0, id="pysot: absent is precise"),
        pytest.param("pytracking", 0.5, 0.5, id="pytracking: absent is imprecise"),
        pytest.param("ostrack", 0.5, 0.5, id="ostrack: absent is imprecise"),
        pytest.param("pytracking_uav", 0.5, 1.0, id="pytracking's uav: absent is precise"),
        pytest.param("lasot", 0.5, 0.5, id="lasot: absent is dropped, the frame still counts"),
        pytest.param("got10k", 1.0, 1.0, id="got10k: absent is dropped with its frame"),
    ],
)
def test_an_absent_target(name: str, success: float, precision: float) -> None:
    truth = rows([10, 10, 8, 8], NAN)
    score = score_sequence(rows([10, 10, 8, 8], [300, 300, 8, 8]), truth, PROTOCOLS[name])
    assert score.success[0] == success
    assert score.precision_20px == precision
    assert np.isnan(score.overlap[1])


def test_lasot_counts_a_box_left_of_the_frame_as_precise_but_a_flagged_frame_not() -> None:
    truth = rows([10, 10, 8, 8], [-4, 10, 8, 8], [10, 10, 8, 8])
    predicted = rows([10, 10, 8, 8], [300, 10, 8, 8], [10, 10, 8, 8])
    flagged = np.array([False, False, True])
    assert score_sequence(predicted, truth, PROTOCOLS["lasot"], flagged=flagged).precision_20px == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("name", "precision"), [("otb", 1.0), ("pysot", 0.5), ("pytracking", 0.5), ("lasot", 0.5), ("got10k", 1.0)]
)
def test_a_frame_that_the_dataset_flags_absent(name: str, precision: float) -> None:
    truth = rows([10, 10, 8, 8], [10, 10, 8, 8])
    score = score_sequence(truth, truth, PROTOCOLS[name], flagged=np.array([False, True]))
    assert score.precision_20px == precision
    assert np.isnan(score.overlap[1])


@pytest.mark.parametrize(("name", "frames"), [("otb", 1), ("pysot", 1), ("pytracking", 1), ("ostrack", 2)])
def test_a_true_box_that_starts_left_of_the_frame(name: str, frames: int) -> None:
    truth = rows([10, 10, 8, 8], [0, 10, 8, 8])
    assert score_sequence(truth, truth, PROTOCOLS[name]).success[0] == frames / 2


@pytest.mark.parametrize(
    ("name", "hole", "repaired"),
    [
        pytest.param("otb", NAN, True, id="otb repairs NaN"),
        pytest.param("otb", [0, 0, 0, 8], True, id="otb repairs an empty box"),
        pytest.param("otb", [np.nan, 0, 8, 8], False, id="otb keeps a row with one NaN"),
        pytest.param("uavdt", NAN, True, id="uavdt repairs NaN"),
        pytest.param("uavdt", [0, 0, 0, 8], False, id="uavdt keeps an empty box"),
        pytest.param("pytracking", [0, 0, 0, 8], True, id="pytracking repairs a zero side"),
        pytest.param("pysot", NAN, False, id="pysot repairs nothing"),
    ],
)
def test_a_missing_prediction_takes_the_previous_box(name: str, hole: list[float], repaired: bool) -> None:
    truth = rows(*[[10, 10, 8, 8]] * 4)
    predicted = rows([10, 10, 8, 8], [10, 10, 8, 8], hole, hole)
    assert score_sequence(predicted, truth, PROTOCOLS[name]).success[0] == (1.0 if repaired else 0.5)


def test_a_missing_prediction_is_not_repaired_where_the_truth_is_nan() -> None:
    truth = rows([10, 10, 8, 8], NAN, [10, 10, 8, 8])
    predicted = rows([10, 10, 8, 8], NAN, NAN)
    # Frame 1 keeps its NaN, so frame 2 copies NaN and fails, as in Matlab.
    assert score_sequence(predicted, truth, OTB).success[0] == pytest.approx(1 / 3)


def test_frames_that_a_short_result_lacks_are_failures() -> None:
    truth = random_boxes(1, 4)
    score = score_sequence(truth[:3], truth, OTB)
    assert (score.success[0], score.precision_20px) == (0.75, 0.75)


def test_frames_beyond_the_truth_are_dropped() -> None:
    truth = random_boxes(2, 4)
    assert score_sequence(np.concatenate([truth, truth]), truth, OTB).success[0] == 1.0


@pytest.mark.parametrize("row", [[np.nan, 1, 2, 3], [1, 1, -2, 3]])
def test_pytracking_refuses_nan_and_negative_sides(row: list[float]) -> None:
    truth = random_boxes(3, 2)
    with pytest.raises(InputError, match="`pytracking` refuses NaN and negative sides, frame 1 is"):
        score_sequence(rows(truth[0].tolist(), row), truth, PROTOCOLS["pytracking"])


def test_got10k_pools_frames_without_the_first_and_without_invisible_ones() -> None:
    truth = rows(*[[10, 10, 8, 8]] * 4)
    predicted = rows([90, 90, 8, 8], [10, 10, 8, 8], [10, 10, 4, 8], [90, 90, 8, 8])
    score = score_sequence(predicted, truth, PROTOCOLS["got10k"], flagged=np.array([False, False, False, True]))
    assert score.pooled.tolist() == [1.0, 0.5]
    mean = mean_score([score], PROTOCOLS["got10k"])
    assert (mean.average_overlap, mean.success_rate_50, mean.success_rate_75) == (0.75, 0.5, 0.5)


def test_got10k_clips_boxes_to_the_frame() -> None:
    truth = rows([90, 0, 10, 10], [90, 0, 10, 10])
    beyond = rows([90, 0, 10, 10], [90, 0, 30, 10])
    score = score_sequence(beyond, truth, PROTOCOLS["got10k"], frame_size=(100, 100))
    assert score.pooled.tolist() == [1.0]


def test_every_sequence_counts_the_same_whatever_its_length() -> None:
    good, bad = random_boxes(4, 500), random_boxes(5, 5)
    scores = [score_sequence(good, good, OTB), score_sequence(bad + np.array([500, 0, 0, 0]), bad, OTB)]
    assert mean_score(scores, OTB).precision_20px == pytest.approx((1 + 1 / 5) / 2)


def test_a_mean_needs_at_least_one_sequence() -> None:
    with pytest.raises(InputError, match="no sequence to score"):
        mean_score([], OTB)


def test_an_unknown_protocol_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError) as caught:
        protocol("mine")
    assert str(caught.value).startswith("no protocol called `mine`\nhint: known protocols: otb, ")
    with pytest.raises(UsageError, match="no protocol called `uavd`\nhint: did you mean `uavdt`"):
        protocol("uavd")


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10_000), name=st.sampled_from(sorted(PROTOCOLS)))
def test_curves_are_monotonic_shares(seed: int, name: str) -> None:
    truth, predicted = random_boxes(seed, 40), random_boxes(seed + 1, 40)
    truth[7] = np.nan
    score = score_sequence(predicted, truth, PROTOCOLS[name])
    for curve, sign in ((score.success, -1), (score.precision, 1), (score.normalised, 1)):
        assert ((curve >= 0) & (curve <= 1)).all()
        assert (sign * np.diff(curve) >= 0).all()


def test_overlap_and_curves_agree_with_got10k_on_random_boxes() -> None:
    reference = pytest.importorskip("got10k.utils.metrics", reason="got10k is not installed here", exc_type=ImportError)
    truth, predicted = random_boxes(6, 2000), random_boxes(7, 2000)
    predicted[0] = truth[0]
    score = score_sequence(predicted, truth, PROTOCOLS["got10k"], frame_size=(80, 80))
    overlap = reference.rect_iou(predicted.copy(), truth.copy())
    error = reference.center_error(predicted, truth)
    np.testing.assert_allclose(score.overlap, overlap, atol=1e-12)
    np.testing.assert_allclose(score.success, (overlap[:, None] > OVERLAP_THRESHOLDS).mean(axis=0))
    np.testing.assert_allclose(score.precision, (error[:, None] <= ERROR_THRESHOLDS_PX).mean(axis=0))
    bounded = reference.rect_iou(predicted[1:].copy(), truth[1:].copy(), bound=(80, 80))
    np.testing.assert_allclose(score.pooled, bounded, atol=1e-12)
