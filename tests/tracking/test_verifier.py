from __future__ import annotations

import math

import numpy as np
import pytest

from eatrack_edge.core.verifier_model import SignWeights, VerifierModel
from eatrack_edge.tracking.verifier import Verifier, probability

MODEL = VerifierModel(SignWeights(1.0, 2.0, 3.0, -4.0), SignWeights(0.5, 1.0, 2.0, -3.0, 2.0))


def at(degrees: float) -> np.ndarray:
    """An embedding at an angle: the cosine of two is that of the angle between them."""
    return np.array([math.cos(math.radians(degrees)), math.sin(math.radians(degrees))], np.float32)


def verifier() -> Verifier:
    found = Verifier(MODEL)
    found.start(at(0))
    return found


def test_each_sign_counts_as_the_model_says() -> None:
    assert verifier().log_odds(at(0), 0.5) == pytest.approx(-4 + 0 + 2 + 3)
    assert verifier().log_odds(at(60), 0.5) == pytest.approx(-4 + 0 + 1 + 1.5)
    assert verifier().log_odds(at(0), 0.9) == pytest.approx(1 + math.log(9))


def test_a_second_network_is_asked_where_there_is_one_and_weighed_otherwise() -> None:
    assert verifier().log_odds(at(0), 0.9, 0.5) == pytest.approx(-3 + 0.5 * math.log(9) + 1 + 2)
    assert verifier().log_odds(at(0), 0.9, 0.9) == pytest.approx(-3 + 2.5 * math.log(9) + 1 + 2)
    assert verifier().log_odds(at(0), 0.9, 0.0) < verifier().log_odds(at(0), 0.9, 0.01)


def test_a_confidence_of_0_or_1_is_no_proof() -> None:
    assert verifier().log_odds(at(0), 1.0) == verifier().log_odds(at(0), 0.9999)
    assert verifier().log_odds(at(0), 0.0) == verifier().log_odds(at(0), 0.0001)


def test_what_is_seen_moves_the_latest_looks_and_never_the_first() -> None:
    learning = verifier()
    for _ in range(100):
        learning.learn(at(60), 0.9)
    assert learning.log_odds(at(60), 0.5) == pytest.approx(-4 + 1 + 3, abs=0.001)
    assert learning.log_odds(at(0), 0.5) == pytest.approx(-4 + 2 + 1.5, abs=0.001)


def test_an_unsure_frame_teaches_nothing() -> None:
    learning = verifier()
    learning.learn(at(60), 0.69)
    assert learning.log_odds(at(0), 0.5) == pytest.approx(1.0)
    learning.learn(at(60), 0.7)
    assert learning.log_odds(at(0), 0.5) < 1.0


def test_another_target_begins_anew() -> None:
    learning = verifier()
    learning.learn(at(60), 0.9)
    learning.start(at(90))
    assert learning.log_odds(at(90), 0.5) == pytest.approx(1.0)


@pytest.mark.parametrize(("log_odds", "expected"), [(0.0, 0.5), (math.log(3), 0.75), (-math.log(3), 0.25)])
def test_log_odds_as_a_probability(log_odds: float, expected: float) -> None:
    assert probability(log_odds) == pytest.approx(expected)
