from __future__ import annotations

import math
import sys
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eatrack_edge.session.histogram import Histogram


@given(st.lists(st.floats(1e-3, 1e7), min_size=1, max_size=200), st.sampled_from([0.0, 0.5, 0.95, 1.0]))
def test_a_quantile_is_that_of_the_sorted_numbers_to_a_quarter_of_a_percent(values: list[float], share: float) -> None:
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    exact = np.quantile(values, share, method="lower" if share * (len(values) - 1) % 1 == 0 else "higher")
    low = np.quantile(values, share, method="lower")
    assert low * 0.9974 <= histogram.quantile(share) <= exact * 1.0026


def test_without_numbers_there_is_no_quantile() -> None:
    histogram = Histogram()
    histogram.add(math.nan)
    assert math.isnan(histogram.quantile(0.5))


@pytest.mark.parametrize("value", [0.0, -1.0, 1e12, math.inf])
def test_what_lies_beyond_counts_as_the_nearest(value: float) -> None:
    histogram = Histogram()
    histogram.add(value)
    assert histogram.quantile(0.5) == pytest.approx(1e-3 if value <= 0 else 1e7, rel=0.01)


def test_a_million_numbers_take_the_memory_of_one_and_the_same_time_each() -> None:
    histogram = Histogram()
    values = np.random.default_rng(0).lognormal(2, 0.5, 1_000_000)
    before = sum(sys.getsizeof(part) for part in histogram.__dict__.values())
    start = time.process_time()
    for value in values.tolist():
        histogram.add(value)
    taken_s = time.process_time() - start
    # Counters grow from Python's small to its larger integers, the list does not.
    assert sum(sys.getsizeof(part) for part in histogram.__dict__.values()) - before < 100
    assert taken_s < 20  # 1 s on a laptop
    for share in (0.5, 0.95):
        assert histogram.quantile(share) == pytest.approx(np.quantile(values, share), rel=0.003)
