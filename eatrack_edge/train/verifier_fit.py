"""Fits the weights of the verifier's signs: a logistic regression over what looks at clips found.

Both kinds of answer, the target and something else, weigh alike, so log odds of 0 mean as likely as not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace

import numpy as np
from numpy.typing import NDArray

from eatrack_edge.core.errors import InputError
from eatrack_edge.core.verifier_model import UNFITTED, SignWeights, VerifierModel
from eatrack_edge.tracking.verifier import log_odds, logit
from eatrack_edge.train.verifier_looks import LEAST_FRAMES, Answer

_LEAST_CLIPS = 20
_EVALUATED_EVERY = 5  # clips
_BIAS = 3  # its place among the weights
# Of the logistic regression. The ridge draws few answers towards the weights of the default model, and leaves what
# thousands say.
_RIDGE, _STEPS = 0.1, 60


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How well targets are distinguished from other objects in clips that were left out of a fit.

    Attributes:
        clips: How many.
        targets: Answers that are the target.
        others: Answers that are something else.
        known: Share of their targets whose log odds are above 99 % of what is not the target.
        taken: Share of what is not the target whose log odds are above 0.
    """

    clips: int
    targets: int
    others: int
    known: float
    taken: float


def fit_verifier(clips: Sequence[Sequence[Answer]], model: str = "") -> VerifierModel:
    """Learn from what looks at clips found.

    Args:
        clips: What each clip's looks found.
        model: Name of the network that looked, as in its metadata.

    Raises:
        InputError: Too few clips, or the looks found the target always or never.
    """
    if len(clips) < _LEAST_CLIPS:
        raise InputError(
            f"{len(clips)} clips can be looked at, and the verifier needs {_LEAST_CLIPS}",
            hint=f"a clip is {LEAST_FRAMES} or more lines with the same `clip`, of one target at several times `t`",
        )
    return replace(_fit(clips), model=model)


def evaluate_verifier(clips: Sequence[Sequence[Answer]]) -> Accuracy:
    """Fit another one without every fifth clip, and evaluate it on those.

    Raises:
        InputError: The looks found the target always or never.
    """
    left_out = clips[::_EVALUATED_EVERY]
    model = _fit([clip for place, clip in enumerate(clips) if place % _EVALUATED_EVERY])
    answers = [answer for clip in left_out for answer in clip]
    odds = np.array([_log_odds(model, answer) for answer in answers])
    is_target = _is_target(answers)
    others = odds[~is_target]
    known = float((odds[is_target] > np.quantile(others, 0.99)).mean())
    return Accuracy(len(left_out), int(is_target.sum()), len(others), known, float((others > 0).mean()))


def _fit(clips: Sequence[Sequence[Answer]]) -> VerifierModel:
    answers = [answer for clip in clips for answer in clip]
    alone = _weights(answers, has_second=False)
    asked = [answer for answer in answers if np.isfinite(answer.second)]
    return VerifierModel(alone, _weights(asked, has_second=True) if asked else alone)


def _log_odds(model: VerifierModel, answer: Answer) -> float:
    second = answer.second if np.isfinite(answer.second) else None
    return log_odds(model, answer.confidence, answer.first, answer.latest, second)


def _is_target(answers: Sequence[Answer]) -> NDArray[np.bool_]:
    """Whether each answer is the target; both kinds are needed."""
    is_target = np.array([answer.is_target for answer in answers], bool)
    if is_target.all() or not is_target.any():
        raise InputError(
            f"{is_target.sum()} of {len(is_target)} looks found the target: both kinds are needed to learn from"
        )
    return is_target


def _weights(answers: Sequence[Answer], *, has_second: bool) -> SignWeights:
    """The likeliest weights of which no sign's is below 0.

    In clips of a second or two the first and the latest look are so alike that the likeliest weights are large ones of
    opposite kinds. In flight a target that is less like its first look would count for it then.
    """
    is_target = _is_target(answers)
    rows = [[logit(one.confidence), one.first, one.latest, 1.0] for one in answers]  # in SignWeights' order
    if has_second:
        rows = [[*row, logit(one.second)] for row, one in zip(rows, answers, strict=True)]
    columns = np.array(rows)
    default = np.array(astuple(UNFITTED.with_second if has_second else UNFITTED.alone))[: columns.shape[1]]
    weights = np.zeros(columns.shape[1])
    kept = np.ones(len(weights), bool)
    while True:
        weights[kept] = _logistic_regression(columns[:, kept], is_target, default[kept])
        against = kept & (weights < 0)
        against[_BIAS] = False
        if not against.any():
            return SignWeights(*weights.round(4).tolist())
        kept[against] = False
        weights[against] = 0


def _logistic_regression(
    columns: NDArray[np.float64], is_positive: NDArray[np.bool_], default: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The likeliest weights of columns, shape (N, weights), by Newton's method; both kinds of row weigh alike."""
    share = np.where(is_positive, 0.5 / is_positive.sum(), 0.5 / (~is_positive).sum()) * len(columns)
    weights = default
    for _ in range(_STEPS):
        odds = 1 / (1 + np.exp(-columns @ weights))
        gradient = columns.T @ (share * (odds - is_positive)) + _RIDGE * (weights - default)
        curvature = (columns * (share * odds * (1 - odds))[:, None]).T @ columns
        weights = weights - np.linalg.solve(curvature + _RIDGE * np.eye(len(weights)), gradient)
    return weights
