from __future__ import annotations

import math

import numpy as np
import pytest

from eatrack_edge.core.errors import InputError
from eatrack_edge.core.verifier_model import UNFITTED
from eatrack_edge.tracking.verifier import log_odds
from eatrack_edge.train.verifier_fit import evaluate_verifier, fit_verifier
from eatrack_edge.train.verifier_looks import Answer


def clips(count: int, *, second: bool = True, apart: float = 0.1) -> list[list[Answer]]:
    """Clips with as many answers of each kind; what tells them is a cosine, ``apart`` standard deviations of 0.05."""
    rng = np.random.default_rng(0)

    def answer(*, is_target: bool) -> Answer:
        latest = 0.8 + (apart if is_target else 0.0) + rng.normal(0, 0.05)
        return Answer(0.5, 0.6, latest, (0.6 if is_target else 0.4) if second else math.nan, is_target)

    return [[answer(is_target=right) for right in (True, True, False, False)] for _ in range(count)]


def test_what_tells_counts_and_what_is_alike_for_all_does_not() -> None:
    found = fit_verifier(clips(4000, second=False))
    # Two normal distributions: the log odds are apart / deviation ** 2 a unit, and 0 in the middle.
    assert found.alone.latest == pytest.approx(0.1 / 0.05**2, rel=0.2)
    assert log_odds(found, 0.5, 0.6, 0.85) == pytest.approx(0, abs=0.3)
    assert found.alone.confidence == pytest.approx(UNFITTED.alone.confidence, abs=1e-3)
    assert found.alone.second == 0


def test_what_was_learned_names_the_network_that_looked() -> None:
    assert fit_verifier(clips(20), "eatrack_s").model == "eatrack_s"


def test_few_answers_leave_the_weights_near_those_of_the_default_model() -> None:
    found = fit_verifier(clips(20, second=False))
    assert found.alone.latest < 20  # of 40 that many answers give


def test_a_second_network_counts_where_it_was_asked() -> None:
    found = fit_verifier(clips(40))
    assert found.with_second.second > 0.5
    alone = fit_verifier(clips(40, second=False))
    assert alone.with_second == alone.alone


def test_both_kinds_weigh_alike_however_many_there_are() -> None:
    many = [[*clip[:2], *(20 * clip[2:])] for clip in clips(400, second=False)]
    assert log_odds(fit_verifier(many), 0.5, 0.6, 0.85) == pytest.approx(0, abs=0.3)


def test_no_sign_counts_against_the_target() -> None:
    """In a short clip the first and the latest look are nearly one, and their difference tells by chance."""
    rng = np.random.default_rng(1)
    looks = []
    for place in range(20000):
        is_target = place % 2 == 0
        common = 0.8 + 0.1 * is_target + rng.normal(0, 0.05)
        looks.append(Answer(0.5, common - 0.03 * is_target, common + 0.01 * is_target, math.nan, is_target))
    found = fit_verifier([looks[place::20] for place in range(20)])
    assert found.alone.first == 0
    assert found.alone.latest > 10


def test_it_is_evaluated_on_clips_that_it_has_not_learned_from() -> None:
    easy, hard = (evaluate_verifier(clips(200, second=False, apart=apart)) for apart in (0.3, 0.0))
    assert (easy.clips, hard.clips) == (40, 40)
    assert easy.known > 0.95 > 0.1 > hard.known
    assert easy.taken < 0.05 < 0.3 < hard.taken


def test_too_few_clips_are_refused() -> None:
    with pytest.raises(InputError, match="19 clips can be looked at, and the verifier needs 20"):
        fit_verifier(clips(19))


@pytest.mark.parametrize("kind", [True, False])
def test_looks_of_one_kind_teach_nothing(kind: bool) -> None:
    with pytest.raises(InputError, match="both kinds are needed"):
        fit_verifier([[answer for answer in clip if answer.is_target is kind] for clip in clips(20)])
