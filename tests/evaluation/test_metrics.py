from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eatrack_edge.core.errors import InputError, UsageError
from eatrack_edge.evaluation.metrics import (
    ERROR_THRESHOLDS_PX,
    NORMALISED_THRESHOLDS,
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
        pytest.param("otb", [90, 90, 1, 8], False, id="otb keeps a thin box"),
        pytest.param("uavdt", [0, 0, 0, 8], False, id="uavdt keeps an empty box"),
        pytest.param("uavdt", [np.nan, 0, 8, 8], False, id="uavdt keeps a row with one NaN"),
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


def test_the_curves_have_the_toolkits_thresholds() -> None:
    assert (OVERLAP_THRESHOLDS[0], OVERLAP_THRESHOLDS[-1], len(OVERLAP_THRESHOLDS)) == (0.0, 1.0, 21)
    assert (ERROR_THRESHOLDS_PX[0], ERROR_THRESHOLDS_PX[-1], len(ERROR_THRESHOLDS_PX)) == (0.0, 50.0, 51)
    assert (NORMALISED_THRESHOLDS[0], NORMALISED_THRESHOLDS[-1], len(NORMALISED_THRESHOLDS)) == (0.0, 0.5, 51)


def test_precision_at_20_px_leaves_out_20_and_a_half() -> None:
    truth = rows([10, 10, 8, 8], [10, 10, 8, 8])
    assert score_sequence(rows([10, 10, 8, 8], [30.5, 10, 8, 8]), truth, OTB).precision_20px == 0.5


def test_the_centre_of_a_box_is_half_its_size_from_its_corner() -> None:
    truth = rows([10, 10, 8, 8], [10, 10, 48, 8])
    predicted = rows([10, 10, 8, 8], [10, 10, 8, 8])  # its centre is 20 px to the left of the true one
    assert score_sequence(predicted, truth, OTB).precision[19:21].tolist() == [0.5, 1.0]


def test_the_normalised_error_across_is_in_widths() -> None:
    truth = rows([10, 10, 100, 10], [10, 10, 100, 10])
    shifted = rows([10, 10, 100, 10], [30, 10, 100, 10])  # 20 px of 100
    assert score_sequence(shifted, truth, OTB).normalised[19:21].tolist() == [0.5, 1.0]


@pytest.mark.parametrize(
    ("boxes", "message"),
    [
        pytest.param(np.zeros((0, 4)), r"predicted boxes must be an array of shape \(N, 4\), got \(0, 4\)", id="none"),
        pytest.param(np.zeros((2, 3)), r"predicted boxes .*, got \(2, 3\)", id="three numbers"),
        pytest.param(np.zeros(4), r"predicted boxes .*, got \(4,\)", id="one dimension"),
    ],
)
def test_what_is_not_a_list_of_boxes_is_refused(boxes: np.ndarray, message: str) -> None:
    truth = rows([10, 10, 8, 8], [10, 10, 8, 8])
    with pytest.raises(InputError, match=message):
        score_sequence(boxes, truth, OTB)
    with pytest.raises(InputError, match=message.replace("predicted", "true")):
        score_sequence(truth, boxes, OTB)


@pytest.mark.parametrize(
    ("box", "is_present"),
    [
        pytest.param([-3, 10, 8, 8], True, id="its centre is half a pixel inside"),
        pytest.param([-3.5, 10, 8, 8], False, id="on the border"),
        pytest.param([-4, 10, 8, 8], False, id="left of it"),
        pytest.param([10, -4, 8, 8], False, id="above it"),
    ],
)
def test_pysot_takes_a_target_as_present_where_its_centre_is_in_the_frame(box: list[float], is_present: bool) -> None:
    truth = rows([10, 10, 8, 8], box)
    predicted = rows([10, 10, 8, 8], [300, 300, 8, 8])  # imprecise, unless there is nothing to find
    assert score_sequence(predicted, truth, PROTOCOLS["pysot"]).precision_20px == (0.5 if is_present else 1.0)


@pytest.mark.parametrize(
    ("name", "box", "is_present"),
    [
        pytest.param("otb", [1, 1, 1, 1], True, id="otb: the first pixel is 1"),
        pytest.param("ostrack", [-9, -9, 1, 1], True, id="ostrack: a pixel"),
        pytest.param("ostrack", [10, 10, 0, 8], False, id="ostrack: no width"),
        pytest.param("ostrack", [10, 10, 8, 0], False, id="ostrack: no height"),
        pytest.param("got10k", [np.nan, 10, 8, 8], False, id="got10k: one NaN"),
    ],
)
def test_a_box_at_the_limit_of_being_one(name: str, box: list[float], is_present: bool) -> None:
    score = score_sequence(rows([10, 10, 8, 8], box), rows([10, 10, 8, 8], box), PROTOCOLS[name])
    assert bool(np.isnan(score.overlap[1])) != is_present


def test_an_absent_target_is_precise_at_every_threshold_where_it_is_precise() -> None:
    score = score_sequence(rows([10, 10, 8, 8], [300, 300, 8, 8]), rows([10, 10, 8, 8], NAN), OTB)
    assert score.precision[0] == 1.0


def test_pytracking_fills_a_short_result_with_empty_boxes_at_the_origin() -> None:
    truth = rows([10, 10, 8, 8], [1, 1, 8, 8])  # 5 px down and across from the centre of 0,0,0,0
    score = score_sequence(truth[:1], truth, PROTOCOLS["pytracking"])
    assert score.precision[[7, 8]].tolist() == [0.5, 1.0]
    assert score_sequence(truth[:1], truth, OTB).precision_20px == 0.5


def test_a_hole_right_after_the_first_frame_takes_the_first_box() -> None:
    truth = rows([10, 10, 8, 8], [10, 10, 8, 8])
    assert score_sequence(rows([10, 10, 8, 8], NAN), truth, OTB).success[0] == 1.0


def test_one_nan_in_the_truth_is_enough_to_leave_a_hole_as_it_is() -> None:
    truth = rows([10, 10, 8, 8], [np.nan, 10, 8, 8], [10, 10, 8, 8])
    assert score_sequence(rows([10, 10, 8, 8], NAN, NAN), truth, OTB).success[0] == pytest.approx(1 / 3)


def test_the_frame_that_is_refused_is_named() -> None:
    predicted = rows([10, 10, 8, 8], [10, 10, 0.5, 0], [10, 10, 8, -1])
    with pytest.raises(InputError, match=r"frame 2 is \[10.0, 10.0, 8.0, -1.0\]"):
        score_sequence(predicted, random_boxes(3, 3), PROTOCOLS["pytracking"])


def test_got10ks_rates_are_strictly_above_their_thresholds() -> None:
    truth = rows(*[[10, 10, 8, 8]] * 4)
    predicted = rows([10, 10, 8, 8], [10, 10, 8, 8], [10, 10, 6, 8], [10, 10, 4, 8])  # 1, 0.75 and 0.5
    mean = mean_score([score_sequence(predicted, truth, PROTOCOLS["got10k"])], PROTOCOLS["got10k"])
    assert (mean.success_rate_50, mean.success_rate_75) == (pytest.approx(2 / 3), pytest.approx(1 / 3))


def test_a_sequence_of_one_frame_has_nothing_to_pool() -> None:
    one = rows([10, 10, 8, 8])
    mean = mean_score([score_sequence(one, one, PROTOCOLS["got10k"])], PROTOCOLS["got10k"])
    assert (mean.success_rate_50, mean.success_rate_75, mean.average_overlap) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize(("name", "expected"), [("otb", 1.0), ("got10k", (15 * 0.5 + 36) / 51)])
def test_the_normalised_score_is_a_point_of_the_curve_or_its_mean(name: str, expected: float) -> None:
    truth = rows([10, 10, 100, 100], [10, 10, 100, 100])
    shifted = rows([10, 10, 100, 100], [24.5, 10, 100, 100])  # 0.145 sides
    rules = PROTOCOLS[name]
    assert mean_score([score_sequence(shifted, truth, rules)], rules).normalised_precision == pytest.approx(expected)


@pytest.mark.parametrize(
    ("predicted", "truth", "overlap"),
    [
        pytest.param([2, 1, 8, 4], [0, 0, 8, 4], 18 / 46, id="at the frame's corner"),
        pytest.param([-3, 0, 8, 4], [0, 0, 8, 4], 1.0, id="the corner moves in, the size stays"),
        pytest.param([10, 10, 0.5, 0.5], [10, 10, 0.5, 1.0], 0.5, id="smaller than a pixel"),
        pytest.param([96, 10, 8, 4], [96, 10, 4, 4], 1.0, id="cut at the far border"),
    ],
)
def test_what_got10k_makes_of_boxes_at_the_border(predicted: list[float], truth: list[float], overlap: float) -> None:
    first = [50, 50, 8, 8]
    score = score_sequence(rows(first, predicted), rows(first, truth), PROTOCOLS["got10k"], frame_size=(100, 90))
    assert score.pooled.tolist() == pytest.approx([overlap])
