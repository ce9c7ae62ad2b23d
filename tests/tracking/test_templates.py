from __future__ import annotations

import numpy as np
import pytest

from eatrack_edge.core.crops import Patch
from eatrack_edge.tracking.settings import TemplateSettings
from eatrack_edge.tracking.templates import StoredTarget, TargetStore, embed, representative, tokens_under

PATCH = Patch((0, 0, 0))
FIRST = np.array([1, 0, 0], np.float32)


def target(index: int, direction: tuple[float, float, float], confidence: float = 0.8) -> StoredTarget:
    return StoredTarget(index, confidence, PATCH, (0.5, 0.5), np.array(direction, np.float32))


def test_the_representative_is_the_target_most_like_all_others() -> None:
    targets = [target(1, (1, 0, 0)), target(2, (1, 0.3, 0)), target(3, (1, 0.6, 0)), target(4, (0, 0, 1), 0.99)]
    assert representative(targets).frame_index == 2


def test_of_equals_the_surer_one_represents() -> None:
    assert representative([target(1, (1, 0, 0), 0.8), target(2, (1, 0, 0), 0.9)]).frame_index == 2


def test_the_oldest_target_leaves_a_full_store() -> None:
    store = TargetStore(TemplateSettings(capacity=2), FIRST)
    for index in range(5):
        store.add(target(index, (1, 0, 0)))
    assert len(store) == 2
    chosen, _ = store.activate(25)
    assert chosen is not None
    assert chosen.frame_index in (3, 4)
    assert len(store) == 0


def test_a_representative_unlike_the_first_target_is_refused() -> None:
    store = TargetStore(TemplateSettings(minimum_similarity=0.5), FIRST)
    store.add(target(7, (0.1, 1, 0)))
    chosen, event = store.activate(25)
    assert chosen is None
    assert not event.is_replaced
    assert event.reason == "kept: frame 7 is too unlike the first (0.10 < 0.5)"
    assert event.similarity == pytest.approx(0.0995, abs=1e-3)


def test_only_sure_frames_are_wanted() -> None:
    store = TargetStore(TemplateSettings(store_above=0.7), FIRST)
    assert store.wants(0.7)
    assert not store.wants(0.69)


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
