from __future__ import annotations

import numpy as np
import pytest

from eatrack_edge.core.crops import Patch
from eatrack_edge.tracking.settings import TemplateSettings
from eatrack_edge.tracking.target_store import TargetStore, representative
from eatrack_edge.tracking.templates import StoredTarget

PATCH = Patch((0, 0, 0))
FIRST = np.array([1, 0, 0], np.float32)


def started(settings: TemplateSettings) -> TargetStore:
    store = TargetStore(settings)
    store.start(FIRST)
    return store


def target(index: int, direction: tuple[float, float, float], confidence: float = 0.8) -> StoredTarget:
    return StoredTarget(index, confidence, PATCH, (0.5, 0.5), np.array(direction, np.float32))


def test_the_representative_is_the_target_most_like_all_others() -> None:
    targets = [target(1, (1, 0, 0)), target(2, (1, 0.3, 0)), target(3, (1, 0.6, 0)), target(4, (0, 0, 1), 0.99)]
    assert representative(targets).frame_index == 2


def test_of_equals_the_one_with_the_higher_confidence_represents() -> None:
    assert representative([target(1, (1, 0, 0), 0.8), target(2, (1, 0, 0), 0.9)]).frame_index == 2


def test_the_oldest_target_leaves_a_full_store() -> None:
    store = started(TemplateSettings(capacity=2))
    for index in range(5):
        store.add(target(index, (1, 0, 0)))
    assert len(store) == 2
    chosen, _ = store.decide(25)
    assert chosen is not None
    assert chosen.frame_index in (3, 4)
    assert len(store) == 0


def test_a_representative_unlike_the_first_target_is_refused() -> None:
    store = started(TemplateSettings(minimum_similarity=0.5))
    store.add(target(7, (0.1, 1, 0)))
    chosen, event = store.decide(25)
    assert chosen is None
    assert event is not None
    assert not event.is_replaced
    assert event.reason == "kept: frame 7 is too unlike the first (0.10 < 0.5)"
    assert event.similarity == pytest.approx(0.0995, abs=1e-3)


def test_only_frames_with_high_confidence_are_stored() -> None:
    store = started(TemplateSettings(minimum_confidence=0.7))
    assert store.wants(0.7)
    assert not store.wants(0.69)


def test_between_intervals_nothing_is_decided() -> None:
    assert started(TemplateSettings(interval=25)).decide(24) == (None, None)
