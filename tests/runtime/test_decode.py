from __future__ import annotations

import numpy as np
import pytest

from eatrack_edge.runtime.backends import Maps
from eatrack_edge.runtime.decode import confidence_of, decode, hann_window, size_prior


def maps(grid: int = 16) -> Maps:
    return Maps(
        np.full((grid, grid), 0.01, np.float32),
        np.zeros((2, grid, grid), np.float32),
        np.full((2, grid, grid), 0.25, np.float32),
        np.zeros((grid * grid, 4), np.float32),
    )


def test_the_window_is_ostracks() -> None:
    line = np.array([0.5 * (1 - np.cos(2 * np.pi * k / 17)) for k in range(1, 17)])
    np.testing.assert_allclose(hann_window(16), np.outer(line, line), rtol=1e-6)
    assert hann_window(16).min() > 0


def test_a_box_is_read_below_the_pixel() -> None:
    m = maps()
    m.score_map[5, 9] = 0.8
    m.offset_map[:, 5, 9] = 0.25, 0.75
    m.size_map[:, 5, 9] = 0.5, 0.125
    decoded = decode(m, hann_window(16), 256)
    assert decoded is not None
    assert decoded.box == pytest.approx((9.25 * 16 - 64, 5.75 * 16 - 16, 128, 32))
    assert decoded.score == pytest.approx(0.8)


def test_the_window_chooses_but_does_not_lower_the_score() -> None:
    m = maps()
    m.score_map[8, 8], m.score_map[0, 0] = 0.6, 0.9
    decoded = decode(m, hann_window(16), 256)
    assert decoded is not None
    assert decoded.score == pytest.approx(0.6)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_single_value_that_is_not_finite_is_no_answer(value: float) -> None:
    m = maps()
    m.score_map[2, 3] = value
    assert decode(m, hann_window(16), 256) is None


@pytest.mark.parametrize("score", [0.0, 0.2, 0.5, 0.9, 1.0])
def test_an_uncalibrated_score_is_the_confidence(score: float) -> None:
    assert confidence_of(score, 1.0, 0.0) == pytest.approx(score, abs=1e-5)


def test_a_calibrated_confidence_keeps_the_order_of_scores() -> None:
    values = [confidence_of(score, 2.5, 1.3) for score in (0.0, 0.1, 0.3, 0.6, 1.0)]
    assert values == sorted(values)
    assert confidence_of(0.5, 2.5, 1.3) == pytest.approx(1 / (1 + np.exp(-1.3)))


def test_a_cell_whose_box_keeps_its_size_and_shape_is_as_likely_as_can_be() -> None:
    np.testing.assert_allclose(size_prior(maps().size_map, (0.25, 0.25), 0.08), 1.0, rtol=1e-6)


def test_a_change_of_size_or_shape_counts_the_same_either_way() -> None:
    sizes = np.full((2, 2, 2), 0.25, np.float32)
    sizes[:, 0, 0], sizes[:, 0, 1] = 0.5, 0.125  # doubled, halved
    sizes[:, 1, 0], sizes[:, 1, 1] = (0.25, 0.125), (0.125, 0.25)  # flatter, narrower
    prior = size_prior(sizes, (0.25, 0.25), 0.1)
    assert prior[0, 0] == pytest.approx(np.exp(0.1 * (1 - 2)), rel=1e-5)
    assert prior[0, 1] == pytest.approx(prior[0, 0], rel=1e-5)
    assert prior[1, 0] == pytest.approx(prior[1, 1], rel=1e-5)
    # By hand: sides padded by half of w + h are sqrt(0.4375 * 0.3125) and 0.5; the shape changed by 2.
    assert prior[1, 0] == pytest.approx(np.exp(0.1 * (1 - 2 * 0.5 / np.sqrt(0.4375 * 0.3125))), rel=1e-5)


def test_a_side_of_zero_is_unlikely_but_no_fault() -> None:
    sizes = np.full((2, 1, 1), 0.0, np.float32)
    assert 0 <= size_prior(sizes, (0.25, 0.25), 0.08)[0, 0] < 0.01
