from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from eatrack_edge.core.frames import is_flat


def crop(rows: int = 64, level: int = 90) -> np.ndarray:
    return np.full((rows, 64, 3), level, np.uint8)


@given(
    rows=st.integers(1, 70), count=st.integers(0, 400), step=st.integers(0, 60), channel=st.integers(0, 2),
    seed=st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_looking_at_a_part_first_never_changes_the_answer(
    rows: int, count: int, step: int, channel: int, seed: int
) -> None:
    picture, chance = crop(rows), np.random.default_rng(seed)
    picture[chance.integers(0, rows, count), chance.integers(0, 64, count), channel] += np.uint8(step)
    deviation = picture.std(axis=(0, 1)).max()
    assume(abs(deviation - 0.5) > 1e-6)
    assert is_flat(picture) == (deviation < 0.5)


@pytest.mark.parametrize("row", [0, 3, 8, 63])
def test_a_single_textured_row_is_enough_whichever_it_is(row: int) -> None:
    picture = crop()
    picture[row, ::2] = 200
    assert not is_flat(picture)
