from __future__ import annotations

import numpy as np
import pytest

from eatrack_edge.benchmarks.projection.published_speeds import (
    PublishedSpeed,
    Transformer,
    check_against_published,
    target_of,
)
from eatrack_edge.benchmarks.projection.roofline import estimate
from eatrack_edge.core.errors import ConfigError


def test_a_block_has_the_published_number_of_operations() -> None:
    # DeiT-tiny with 320 tokens: 141.6 M multiply-accumulates a block, and 39.3 M of attention.
    layers = PublishedSpeed("one", fps=1, gmacs=0, params_m=0, vit=Transformer(1, 192, 320)).layers()
    matmuls = sum(layer.flops for layer in layers if layer.kind == "matmul") / 2
    attention = sum(layer.flops for layer in layers if layer.kind == "attention") / 2
    assert (matmuls, attention) == (pytest.approx(141.6e6, rel=1e-3), pytest.approx(39.3e6, rel=1e-3))
    assert sum(layer.weights for layer in layers) == pytest.approx(0.445e6, rel=0.01)


def test_operations_outside_the_blocks_are_in_the_rest() -> None:
    layers = PublishedSpeed("ORTrack", fps=84, gmacs=2.39, params_m=7.98, vit=Transformer(12, 192, 320)).layers()
    matmuls = sum(layer.flops for layer in layers if layer.kind == "matmul") / 2e9
    assert matmuls == pytest.approx(2.39, rel=1e-6)
    assert sum(layer.weights for layer in layers) == pytest.approx(7.98e6, rel=1e-3)


def test_every_tracker_with_published_orin_figures_is_checked() -> None:
    names = {speed.name.partition("-")[0] for one in check_against_published().series for speed in one.speeds}
    assert names >= {"ORTrack", "MaST", "LiteTrack", "HiT", "AsymTrack"}
    boards = {one.series.device for one in check_against_published().series}
    assert boards == {"orin_nano_8gb", "orin_nx_16gb", "agx_orin_64gb"}


def test_no_published_speed_is_faster_than_the_hardware_allows() -> None:
    assert check_against_published().below_floor == []


def test_a_figure_is_predicted_with_parameters_fitted_without_it() -> None:
    nano = check_against_published().series[0]
    for speed in nano.speeds:
        if speed.projected_ms is not None:
            published = next(one for one in nano.series.trackers if one.name == speed.name)
            with_it = estimate(published.layers(), nano.series.precision, nano.target, nano.rules).ms
            # What a figure helped to choose can only be nearer to it, up to the grid.
            ours = abs(np.log(speed.projected_ms / speed.published_ms))
            assert abs(np.log(with_it / speed.published_ms)) <= ours + 0.15


def test_a_transformer_on_the_same_board_is_predicted_within_half() -> None:
    nano = check_against_published().series[0]
    assert len(nano.errors) >= 8
    assert max(nano.errors) < 1.5


def test_fitted_parameters_are_marked_as_fitted() -> None:
    rules = check_against_published().rules_of("tensorrt")
    assert rules.compute_efficiency.is_fitted
    assert "NanoOWL" in rules.compute_efficiency.reason
    assert not rules.launch_us.is_fitted
    assert "guess" in rules.launch_us.reason


def test_the_check_reports_the_larger_error_on_another_laboratorys_board() -> None:
    check = check_against_published()
    assert check.worst_factor == max(check.across) > max(check.series[0].errors)


def test_a_series_on_a_mode_that_its_board_lacks_is_refused() -> None:
    import dataclasses

    series = dataclasses.replace(check_against_published().series[0].series, mode="90W")
    with pytest.raises(ConfigError, match="MaST's table on Orin Nano: Jetson Orin Nano 8GB has no power mode `90W`"):
        target_of(series)
