from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eatrack_edge.inference.backend import Maps
from eatrack_edge.tracking.decode import Decoded, confidence_of, decode, decode_near, hann_window, size_prior


def maps(grid: int = 16) -> Maps:
    return Maps(
        np.full((grid, grid), 0.01, np.float32),
        np.zeros((2, grid, grid), np.float32),
        np.full((2, grid, grid), 0.25, np.float32),
        np.zeros((grid * grid, 4), np.float32),
    )


def read(m: Maps, last: tuple[float, float] = (0.25, 0.25), size_penalty: float = 0.08) -> Decoded | None:
    return decode(m, hann_window(16), 256, last, size_penalty)


def test_the_window_is_ostracks() -> None:
    line = np.array([0.5 * (1 - np.cos(2 * np.pi * k / 17)) for k in range(1, 17)])
    np.testing.assert_allclose(hann_window(16), np.outer(line, line), rtol=1e-6)
    assert hann_window(16).min() > 0


def test_a_box_is_read_below_the_pixel() -> None:
    m = maps()
    m.score_map[5, 9] = 0.8
    m.offset_map[:, 5, 9] = 0.25, 0.75
    m.size_map[:, 5, 9] = 0.5, 0.125
    decoded = read(m)
    assert decoded is not None
    assert decoded.box == pytest.approx((9.25 * 16 - 64, 5.75 * 16 - 16, 128, 32))
    assert decoded.score == pytest.approx(0.8)


def test_the_window_chooses_but_does_not_lower_the_score() -> None:
    m = maps()
    m.score_map[8, 8], m.score_map[0, 0] = 0.6, 0.9
    decoded = read(m)
    assert decoded is not None
    assert decoded.score == pytest.approx(0.6)


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("output", ["score_map", "size_map"])
def test_a_single_score_or_size_that_is_not_finite_is_no_answer(output: str, value: float) -> None:
    m = maps()
    m.score_map[8, 8] = 0.9
    getattr(m, output)[..., 2, 3] = value
    assert read(m) is None


def test_an_offset_counts_where_it_is_read() -> None:
    m = maps()
    m.score_map[8, 8] = 0.9
    m.offset_map[0, 2, 3] = np.nan
    assert read(m) is not None
    m.offset_map[1, 8, 8] = np.inf
    assert read(m) is None


def test_the_maps_are_only_read() -> None:
    m = maps()
    m.score_map[8, 8] = 0.9
    for array in m:
        array.flags.writeable = False
    assert read(m) is not None


def test_of_two_alike_the_one_that_kept_its_size_is_chosen() -> None:
    m = maps()
    m.score_map[8, 7], m.score_map[8, 8] = 0.80, 0.79
    m.size_map[:, 8, 7] = 0.5
    kept, larger = read(m), read(m, size_penalty=0)
    assert kept is not None
    assert larger is not None
    assert (kept.score, larger.score) == pytest.approx((0.79, 0.80))


@given(
    seed=st.integers(0, 2**32 - 1), size_penalty=st.sampled_from([0.0, 0.08, 0.5, 5.0]),
    contrast=st.sampled_from([0.0, 0.01, 1.0]), last=st.tuples(st.floats(0.02, 0.9), st.floats(0.02, 0.9)),
)  # fmt: skip
def test_no_other_cell_of_the_grid_would_have_won(
    seed: int, size_penalty: float, contrast: float, last: tuple[float, float]
) -> None:
    chance, m = np.random.default_rng(seed), maps()
    m.score_map[:] = 0.5 + contrast * (chance.random((16, 16)) - 0.5)
    m.size_map[:] = chance.random((2, 16, 16))
    weighed = m.score_map * hann_window(16)
    products = [
        float(weighed[row, column]) * size_prior((m.size_map[0, row, column], m.size_map[1, row, column]), last, size_penalty)
        for row in range(16)
        for column in range(16)
    ]  # fmt: skip
    decoded = read(m, last, size_penalty)
    assert decoded is not None
    x, y, w, h = decoded.box
    chosen = round((y + h / 2) / 16) * 16 + round((x + w / 2) / 16)
    assert products[chosen] == max(products)


@pytest.mark.parametrize("score", [0.0, 0.2, 0.5, 0.9, 1.0])
def test_an_uncalibrated_score_is_the_confidence(score: float) -> None:
    assert confidence_of(score, 1.0, 0.0) == pytest.approx(score, abs=1e-5)


def test_a_calibrated_confidence_keeps_the_order_of_scores() -> None:
    values = [confidence_of(score, 2.5, 1.3) for score in (0.0, 0.1, 0.3, 0.6, 1.0)]
    assert values == sorted(values)
    assert confidence_of(0.5, 2.5, 1.3) == pytest.approx(1 / (1 + np.exp(-1.3)))


def test_a_box_that_keeps_its_size_and_shape_is_as_likely_as_can_be() -> None:
    assert size_prior((0.25, 0.125), (0.25, 0.125), 0.08) == 1


def test_a_change_of_size_or_shape_counts_the_same_either_way() -> None:
    doubled, halved, flatter, narrower = (
        size_prior(size, (0.25, 0.25), 0.1) for size in ((0.5, 0.5), (0.125, 0.125), (0.25, 0.125), (0.125, 0.25))
    )
    assert doubled == pytest.approx(np.exp(0.1 * (1 - 2)))
    assert halved == pytest.approx(doubled)
    assert flatter == pytest.approx(narrower)
    # By hand: sides padded by half of w + h are sqrt(0.4375 * 0.3125) and 0.5; the shape changed by 2.
    assert flatter == pytest.approx(np.exp(0.1 * (1 - 2 * 0.5 / np.sqrt(0.4375 * 0.3125))))


def test_a_side_of_zero_is_unlikely_but_no_fault() -> None:
    assert 0 <= size_prior((0.0, 0.0), (0.25, 0.25), 0.08) < 0.01


def test_near_a_box_the_best_location_is_decoded_whatever_scores_elsewhere() -> None:
    m = maps()
    m.score_map[8, 8], m.score_map[3, 12], m.score_map[4, 15] = 0.9, 0.5, 0.7
    place = (12 * 16 - 24.0, 3 * 16 - 24.0, 64.0, 64.0)  # its centre is in cell (3, 12), its reach two cells
    decoded = decode_near(m, place, 256)
    assert decoded is not None
    assert decoded.score == pytest.approx(0.5)
    assert decoded.box == pytest.approx((12 * 16 - 32, 3 * 16 - 32, 64, 64))


@pytest.mark.parametrize("corner", [(-32.0, -32.0), (223.0, 223.0)])
def test_near_the_border_only_the_part_inside_the_crop_is_searched(corner: tuple[float, float]) -> None:
    assert decode_near(maps(), (*corner, 64, 64), 256) is not None


@pytest.mark.parametrize("corner", [(-33.0, 100.0), (100.0, 224.0)])
def test_a_box_outside_the_crop_gives_nothing(corner: tuple[float, float]) -> None:
    assert decode_near(maps(), (*corner, 64, 64), 256) is None


def test_an_output_near_a_box_that_is_not_finite_gives_nothing() -> None:
    m = maps()
    m.score_map[8, 8], m.offset_map[0, 8, 8] = 0.9, np.nan
    assert decode_near(m, (96, 96, 64, 64), 256) is None


@pytest.mark.parametrize(
    ("side", "reach"), [pytest.param(64, 2, id="0.6 of its sides"), pytest.param(8, 1, id="at least one location")]
)
@pytest.mark.parametrize(("down", "across"), [(1, 0), (-1, 0), (0, 1), (0, -1)], ids=["down", "up", "right", "left"])
def test_a_hidden_target_is_looked_for_as_far_as_it_may_have_moved(
    side: int, reach: int, down: int, across: int
) -> None:
    m = maps()
    m.score_map[8 + down * reach, 8 + across * reach] = 0.5
    m.score_map[8 + down * (reach + 1), 8 + across * (reach + 1)] = 0.9  # one location further
    decoded = decode_near(m, (136 - side / 2, 136 - side / 2, side, side), 256)  # its centre is in location (8, 8)
    assert decoded is not None
    assert decoded.score == pytest.approx(0.5)


@pytest.mark.parametrize("centre", [(0.0, 128.0), (128.0, 0.0)], ids=["left", "top"])
def test_a_box_at_the_border_is_looked_for_up_to_the_border(centre: tuple[float, float]) -> None:
    m = maps()
    m.score_map[int(centre[1] / 16), int(centre[0] / 16)] = 0.9
    decoded = decode_near(m, (centre[0] - 32, centre[1] - 32, 64, 64), 256)
    assert decoded is not None
    assert decoded.score == pytest.approx(0.9)


@pytest.mark.parametrize("corner", [(224, 96), (96, 224)], ids=["right", "below"])
def test_a_centre_on_the_far_border_is_outside_the_crop(corner: tuple[float, float]) -> None:
    assert decode_near(maps(), (*corner, 64, 64), 256) is None


@pytest.mark.parametrize(("size", "is_there"), [(0.0, False), (0.5 / 256, True)], ids=["empty", "half a pixel"])
@pytest.mark.parametrize("axis", [0, 1], ids=["width", "height"])
def test_a_box_without_a_side_is_no_answer_and_one_of_half_a_pixel_is(axis: int, size: float, is_there: bool) -> None:
    m = maps()
    m.score_map[8, 8] = 0.9
    m.size_map[axis] = size
    assert (read(m, size_penalty=0.0) is not None) == is_there


def test_a_confidence_is_never_quite_0_or_1() -> None:
    assert confidence_of(0.0, 1.0, 0.0) == pytest.approx(1e-6, rel=1e-3)
    assert 1 - confidence_of(1.0, 1.0, 0.0) == pytest.approx(1e-6, rel=1e-3)
