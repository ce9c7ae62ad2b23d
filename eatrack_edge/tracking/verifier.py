"""The verifier: how sure it is that what was found is the target, by more than the network's confidence.

The confidence asks which place of a search region is most like the target, so a picture without the target is answered
with 0.8 now and then. Two comparisons that do not depend on the place tell more: with the target in the first frame,
and with the target as it was seen last. They cost no inference. A second network, where a refinement has one, is asked
too: it was trained by others on other data, and is deceived by other things. How much each sign counts was learned
from clips, see ``core.verifier_model``.
"""

from __future__ import annotations

import math

import numpy as np

from eatrack_edge.core.verifier_model import VerifierModel
from eatrack_edge.tracking.embedding import Embedding, renew

NO_EVIDENCE = -20.0  # log odds where a frame shows nothing to compare
_SURE_FROM = 0.7  # confidence from which a frame shows what the target looks like now
_KEPT = 0.9  # share of the latest appearance that is left after one more such frame


class Verifier:
    """Compares what is found with one target.

    Args:
        model: How much each sign counts.
    """

    def __init__(self, model: VerifierModel) -> None:
        self._first: Embedding = np.zeros(0, np.float32)
        self._latest = self._first
        self._model = model

    def start(self, first: Embedding) -> None:
        """Begin with the target in the first frame, see ``embed_parts``."""
        self._first = self._latest = first

    def learn(self, seen: Embedding, confidence: float) -> None:
        """Take in what the target looks like in a frame in which it was tracked."""
        if confidence >= _SURE_FROM:
            self._latest = renew(self._latest, seen, _KEPT)

    def log_odds(self, found: Embedding, confidence: float, second_score: float | None = None) -> float:
        """Logarithm of the odds that it is the target, if both answers are equally likely beforehand.

        Args:
            found: Embedding of the box that was found.
            confidence: Of the network, [0, 1].
            second_score: Highest score of a second network in the search region, [0, 1]; ``None`` without one.
        """
        first, latest = float(found @ self._first), float(found @ self._latest)
        return log_odds(self._model, confidence, first, latest, second_score)


def log_odds(
    model: VerifierModel, confidence: float, first: float, latest: float, second_score: float | None = None
) -> float:
    """What the signs add up to, see ``Verifier.log_odds``.

    Args:
        model: How much each of them counts.
        confidence: Of the network, [0, 1].
        first: Cosine to the target in the first frame.
        latest: Cosine to the target as it was seen last.
        second_score: Of a second network, [0, 1]; ``None`` without one.
    """
    of = model.alone if second_score is None else model.with_second
    signs = of.first * first + of.latest * latest
    return of.bias + of.confidence * logit(confidence) + of.second * logit(second_score or 0.0) + signs


def logit(probability: float) -> float:
    """Of a probability, [0, 1], that is not quite certain."""
    within = min(max(probability, 1e-4), 1 - 1e-4)
    return math.log(within / (1 - within))


def probability(log_odds: float) -> float:
    """Of log odds, [0, 1].

    >>> probability(0.0)
    0.5
    """
    return 1 / (1 + math.exp(-log_odds))
