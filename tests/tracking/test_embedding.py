from __future__ import annotations

import numpy as np
import pytest

from eatrack_edge.tracking.embedding import embed, embed_parts, tokens_under


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


def mosaic() -> np.ndarray:
    """A grid of 6 x 6 tokens; each of 3 x 3 parts has a direction of its own."""
    tokens = np.zeros((6, 6, 9), np.float32)
    for row in range(6):
        for column in range(6):
            tokens[row, column, 3 * (row // 2) + column // 2] = 1 + row
    return tokens


def test_the_embedding_of_parts_tells_what_lies_where() -> None:
    found = embed_parts(mosaic().reshape(36, 9), (0.0, 0.0, 96.0, 96.0), 96)
    np.testing.assert_allclose(found.reshape(9, 9), np.eye(9) / 3, atol=1e-6)
    assert found @ found == pytest.approx(1.0)
    swapped = embed_parts(mosaic()[:, ::-1].reshape(36, 9), (0.0, 0.0, 96.0, 96.0), 96)
    assert found @ swapped == pytest.approx(1 / 3)
    assert embed(found.reshape(9, 9).sum(0)) @ embed(swapped.reshape(9, 9).sum(0)) == pytest.approx(1.0)


def test_between_tokens_the_embedding_of_parts_is_between_theirs() -> None:
    tokens = np.zeros((4, 4, 2), np.float32)
    tokens[:, :2, 0] = 1
    tokens[:, 2:, 1] = 1
    # The parts' middles lie at 24, 32 and 40 px: on a token, half way to the next, and on that.
    found = embed_parts(tokens.reshape(16, 2), (20.0, 0.0, 24.0, 64.0), 64).reshape(3, 3, 2)
    np.testing.assert_allclose(found[0] * 3, [[1, 0], [0.5**0.5, 0.5**0.5], [0, 1]], atol=1e-6)


@pytest.mark.parametrize("box", [(31.0, 31.0, 0.1, 0.1), (-50.0, -50.0, 10.0, 10.0), (500.0, 500.0, 3.0, 3.0)])
def test_outside_the_crop_the_parts_are_those_at_its_border(box: tuple[float, float, float, float]) -> None:
    found = embed_parts(np.ones((16, 3), np.float32), box, 64)
    np.testing.assert_allclose(found, np.full(27, 1 / 27**0.5), atol=1e-6)


def test_parts_of_nothing_have_no_direction_and_do_no_harm() -> None:
    assert (embed_parts(np.zeros((16, 3), np.float32), (0.0, 0.0, 32.0, 32.0), 64) == 0).all()
