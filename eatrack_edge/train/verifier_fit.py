"""Fits the verifier of a network: the projection by which boxes are compared, and the weights of the signs.

The projection is a linear discriminant analysis (Fisher 1936): it keeps the directions in which different targets
differ most, measured by how much pictures of one target differ, which is the covariance within clips. Closed form,
nothing is iterated, so a few hundred clips suffice where training a network on them would learn them by heart.
The weights are a logistic regression over what looks at the same clips found, both kinds of answer weighted alike.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eatrack_edge.core.errors import InputError
from eatrack_edge.core.verifier_model import SignWeights, TokenProjection, VerifierModel, unit
from eatrack_edge.tracking.embedding import embed, embed_parts
from eatrack_edge.tracking.verifier import logit
from eatrack_edge.train.verifier_looks import Answer, ClipLooks, Parts

_KEPT = 64  # dimensions of the projection: 32 tell less apart, 128 no more
_SHRINKAGE = 0.1  # of the covariance within clips, towards a multiple of the identity
_LEAST_CLIPS = 20
# The latest appearance in a flight forgets half in 7 frames. Clips show every few frames, so here it is half in one.
_FORGOTTEN = 0.5
_LAG = 2  # frames of a clip between the latest appearance and what is compared with it
_JUDGED_EVERY = 5  # clips
_RIDGE, _STEPS = 1e-3, 60  # of the logistic regression


def fit_verifier(clips: Sequence[ClipLooks]) -> VerifierModel:
    """Learn from looks at clips.

    Raises:
        InputError: Too few clips, or every look found the target, or none did.
    """
    if len(clips) < _LEAST_CLIPS:
        raise InputError(
            f"{len(clips)} clips can be looked at, and the verifier needs {_LEAST_CLIPS}",
            hint="give training shards with clips: lines with the same `clip` show one target at several times `t`",
        )
    return _fit_weights(clips, fit_projection([clip.truths for clip in clips]))


def _fit_weights(clips: Sequence[ClipLooks], projection: TokenProjection | None) -> VerifierModel:
    signs, is_target = _answers(clips, projection)
    if is_target.all() or not is_target.any():
        raise InputError("looks at the clips found the target always or never: there is nothing to learn from")
    has_second = np.isfinite(signs[:, 3])
    alone = _weights(signs[:, :3], is_target)
    both = signs[has_second], is_target[has_second]
    with_second = _weights(*both) if 0 < both[1].sum() < len(both[1]) else alone
    return VerifierModel(alone, with_second, projection)


@dataclass(frozen=True, slots=True)
class Judgement:
    """How well targets are told from other objects.

    Attributes:
        clips: That were left out of the fit.
        known: Share of their targets that is above 99 % of what is not the target, by the log odds.
        known_before: The same without a projection.
    """

    clips: int
    known: float
    known_before: float


def judge_verifier(clips: Sequence[ClipLooks]) -> Judgement:
    """Fit once more without every fifth clip, and judge on those.

    Raises:
        InputError: As ``fit_verifier``.
    """
    kept = [clip for place, clip in enumerate(clips) if place % _JUDGED_EVERY]
    left_out = clips[::_JUDGED_EVERY]
    model = fit_verifier(kept)
    return Judgement(len(left_out), _known(model, left_out), _known(_fit_weights(kept, None), left_out))


def _known(model: VerifierModel, clips: Sequence[ClipLooks]) -> float:
    signs, is_target = _answers(clips, model.projection)
    of = model.alone
    log_odds = signs[:, :3] @ np.array([of.confidence, of.first, of.latest])
    others = log_odds[~is_target]
    return float((log_odds[is_target] > np.quantile(others, 0.99)).mean()) if len(others) else math.nan


def fit_projection(clips: Sequence[Sequence[Parts]]) -> TokenProjection:
    """The discriminant projection of the tokens of targets, each clip one class in each of its 3 x 3 parts.

    Args:
        clips: Of each clip the tokens of its true boxes, shape (9, dim) each.
    """
    directions = [unit(np.stack(truths).astype(np.float32)) for truths in clips]  # (frames, 9, dim)
    mean = np.concatenate(directions).mean((0, 1))
    centres = [clip.mean(0) for clip in directions]
    dim = len(mean)
    within, between = np.zeros((dim, dim)), np.zeros((dim, dim))
    for clip, centre in zip(directions, centres, strict=True):
        residuals = (clip - centre).reshape(-1, dim)
        within += residuals.T @ residuals / len(clip)
        between += (centre - mean).T @ (centre - mean)
    within += _SHRINKAGE * np.trace(within) / dim * np.eye(dim)
    whitening = np.linalg.inv(np.linalg.cholesky(within))
    _, vectors = np.linalg.eigh(whitening @ between @ whitening.T)  # the least discriminant first
    matrix = whitening.T @ vectors[:, ::-1][:, :_KEPT]
    matrix /= np.linalg.norm(matrix, axis=0).mean()
    return TokenProjection(mean.astype(np.float32), matrix.astype(np.float32))


def _answers(
    clips: Sequence[ClipLooks], projection: TokenProjection | None
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Signs of every answer, shape (N, 4), and whether it is the target."""
    signs = np.array([row for clip in clips for row in _signs(clip, projection)])
    return signs, np.array([answer.is_target for clip in clips for answer in clip.answers])


def _signs(clip: ClipLooks, projection: TokenProjection | None) -> list[list[float]]:
    """Of each answer: the logit of the confidence, both cosines, and the logit of the second score."""
    truths = [embed_parts(parts, projection) for parts in clip.truths]
    latest = [_latest(truths, clip.first, place) for place in range(len(truths))]
    rows = []
    for answer in clip.answers:
        seen = embed_parts(answer.parts, projection)
        cosines = float(seen @ truths[clip.first]), float(seen @ latest[answer.place])
        rows.append([logit(answer.confidence), *cosines, _second(answer)])
    return rows


def _second(answer: Answer) -> float:
    return logit(answer.second_score) if math.isfinite(answer.second_score) else math.nan


def _latest(truths: Sequence[NDArray[np.float32]], first: int, place: int) -> NDArray[np.float32]:
    """What the target looked like last before a frame: from the first on, forwards or backwards in time."""
    ends = place - _LAG if place >= first else place + _LAG
    step = 1 if place >= first else -1
    latest = truths[first]
    for earlier in range(first + step, ends + step, step):
        latest = embed(np.asarray(_FORGOTTEN * latest + (1 - _FORGOTTEN) * truths[earlier], np.float32))
    return latest


def _weights(signs: NDArray[np.float64], is_target: NDArray[np.bool_]) -> SignWeights:
    """The likeliest weights of signs, shape (N, 3 or 4), by Newton's method; both kinds weigh alike."""
    columns = np.column_stack([signs, np.ones(len(signs))])
    share = np.where(is_target, 0.5 / is_target.sum(), 0.5 / (~is_target).sum()) * len(signs)
    weights = np.zeros(columns.shape[1])
    for _ in range(_STEPS):
        odds = 1 / (1 + np.exp(-columns @ weights))
        gradient = columns.T @ (share * (odds - is_target)) + _RIDGE * weights
        curvature = (columns * (share * odds * (1 - odds))[:, None]).T @ columns
        weights -= np.linalg.solve(curvature + _RIDGE * np.eye(len(weights)), gradient)
    confidence, first, latest, *second, bias = weights.round(4).tolist()
    return SignWeights(confidence, first, latest, bias, *second)
