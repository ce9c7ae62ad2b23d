from __future__ import annotations

import numpy as np
import pytest

from eatrack_edge.tracking.embedding import embed, tokens_under


def test_the_embedding_is_the_mean_token_under_the_box_at_unit_length() -> None:
    tokens = np.zeros((4, 4, 3), np.float32)
    tokens[1:3, 1:3] = (0, 3, 4)
    box = (16.0, 16.0, 32.0, 32.0)
    under = tokens_under(tokens.reshape(16, 3), box, 64)
    np.testing.assert_array_equal(under, [0, 12, 16])
    np.testing.assert_allclose(embed(under), [0, 0.6, 0.8], atol=1e-6)


@pytest.mark.parametrize("box", [(31.0, 31.0, 0.1, 0.1), (-50.0, -50.0, 10.0, 10.0), (500.0, 500.0, 3.0, 3.0)])
def test_an_embedding_always_takes_at_least_one_cell(box: tuple[float, float, float, float]) -> None:
    tokens = np.ones((16, 3), np.float32)
    np.testing.assert_array_equal(tokens_under(tokens, box, 64), [1, 1, 1])


def test_tokens_of_nothing_have_no_direction_and_do_no_harm() -> None:
    assert (embed(np.zeros(3, np.float32)) == 0).all()
