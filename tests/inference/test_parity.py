from __future__ import annotations

import math

import numpy as np
import pytest

from eatrack_edge.core.model_spec import ModelSpec
from eatrack_edge.inference.parity import largest_differences, scene_crops


def difference(name: str, *pairs: tuple[list[float], list[float]]) -> float:
    return largest_differences(({name: np.float32(a)}, {name: np.float32(b)}) for a, b in pairs)[name]


def test_the_largest_difference_is_over_all_inputs() -> None:
    assert difference("score_map", ([1, 2], [1, 2]), ([1, 2], [1, 4]), ([0, 2], [1, 2])) == 2


@pytest.mark.parametrize("name", ["search_tokens", "template_projections"])
def test_what_is_not_normalised_is_judged_by_its_largest_value(name: str) -> None:
    assert difference(name, ([0, 100], [1, 100])) == pytest.approx(0.01)
    assert difference(name, ([0, 0.1], [0.1, 0.1])) == pytest.approx(0.1)  # small values are not blown up


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_an_answer_that_is_no_number_is_never_hidden(place: int, bad: float) -> None:
    pairs = [([1.0, 2.0], [1.0, 2.0]) for _ in range(3)]
    pairs[place] = ([1.0, bad], [1.0, 2.0])
    assert not difference("score_map", *pairs) < math.inf
    assert not difference("search_tokens", *[(b, a) for a, b in pairs]) < math.inf


def test_crops_have_the_sizes_of_the_model_spec(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eatrack_edge.inference.parity._SIZE", (128, 96))  # a small world is soon painted
    pairs = list(scene_crops(ModelSpec("m", 12, 64, 128, 2)))
    assert [(pair.template.shape, pair.search.shape) for pair in pairs] == [((64, 64, 3), (128, 128, 3))] * 3
