from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eatrack_edge.core.reasons import as_clause, beside_limit


@given(value=st.floats(0, 1), limit=st.sampled_from((0.001, 0.3, 0.5, 0.7)), form=st.sampled_from((".2f", ".1e")))
def test_a_number_is_seen_to_be_on_its_side_of_the_limit(value: float, limit: float, form: str) -> None:
    shown = float(beside_limit(value, limit, form))
    if abs(value - limit) > 1e-15:
        assert (shown > limit, shown < limit) == (value > limit, value < limit)


@pytest.mark.parametrize(
    ("value", "limit", "form", "shown"),
    [
        (0.2996, 0.3, ".2f", "0.2996"),
        (0.1, 0.3, ".2f", "0.10"),
        (1.04e-3, 1e-3, ".1e", "1.04e-03"),
        (float("nan"), 1e-3, ".1e", "nan"),
        (np.float64(0.2996), np.float64(0.3), ".2f", "0.2996"),
    ],
)
def test_no_more_digits_are_shown_than_it_takes(value: float, limit: float, form: str, shown: str) -> None:
    assert beside_limit(value, limit, form) == shown


@pytest.mark.parametrize(
    ("reason", "clause"),
    [
        ("No such file or directory", "no such file or directory"),
        ("", ""),
        ("RTSP is off", "RTSP is off"),
        ("I/O error", "I/O error"),
        ("A socket is closed", "a socket is closed"),
    ],
)
def test_a_reason_is_part_of_our_sentence(reason: str, clause: str) -> None:
    assert as_clause(reason) == clause
