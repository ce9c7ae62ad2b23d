from __future__ import annotations

import numpy as np
import pytest

from eatrack_edge.core.errors import InputError
from eatrack_edge.core.verifier_model import unit
from eatrack_edge.train.verifier_fit import fit_projection, fit_verifier, judge_verifier
from eatrack_edge.train.verifier_looks import Answer, ClipLooks

DIM, FRAMES = 96, 8
LOOKS = np.eye(DIM, dtype=np.float32)[: DIM // 2]  # what varies from frame to frame, of all targets alike
WHO = np.eye(DIM, dtype=np.float32)[DIM // 2 :]  # what tells targets apart, a fifth of it


def tokens(rng: np.random.Generator, who: np.ndarray) -> np.ndarray:
    """Tokens of a target as one frame shows it, shape (9, dim)."""
    looks = rng.normal(size=(9, len(LOOKS))).astype(np.float32)
    return np.asarray(looks @ LOOKS + 0.2 * who @ WHO, np.float32)


def clips(count: int, seed: int = 0) -> list[ClipLooks]:
    """Clips in each frame of which a look finds the target, and another something that is as clear."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        target, other = rng.normal(size=(2, 9, len(WHO)))
        truths = tuple(tokens(rng, target) for _ in range(FRAMES))
        answers = [
            Answer(tokens(rng, target if right else other), 0.5, 0.6 if right else 0.4, right, place)
            for place in range(FRAMES)
            for right in (True, False)
        ]
        found.append(ClipLooks(0, truths, tuple(answers)))
    return found


def test_the_projection_keeps_what_tells_targets_apart() -> None:
    projection = fit_projection([clip.truths for clip in clips(60)])
    rng = np.random.default_rng(1)
    target, other = rng.normal(size=(2, 9, len(WHO)))
    one, again, another = (tokens(rng, who) for who in (target, target, other))
    before = [float((unit(one) * unit(each)).sum(1).mean()) for each in (again, another)]
    after = [float((projection(one) * projection(each)).sum(1).mean()) for each in (again, another)]
    assert before[0] - before[1] < 0.3
    assert after[0] - after[1] > 0.5


def test_each_sign_that_tells_counts() -> None:
    found = fit_verifier(clips(40))
    assert found.alone.first > 0
    assert found.alone.latest > 0
    assert found.alone.confidence == pytest.approx(0, abs=1e-6)  # it was the same for all
    assert found.with_second.second > 0
    assert found.alone.second == 0


def test_without_a_second_network_it_counts_nothing() -> None:
    alone = [
        ClipLooks(
            clip.first, clip.truths, tuple(Answer(a.parts, 0.5, np.nan, a.is_target, a.place) for a in clip.answers)
        )
        for clip in clips(40)
    ]
    found = fit_verifier(alone)
    assert found.with_second == found.alone


def test_it_is_judged_on_clips_that_it_has_not_learned_from() -> None:
    judged = judge_verifier(clips(100))
    assert judged.clips == 20
    assert judged.known > 0.9
    assert judged.known_before < 0.7


def test_too_few_clips_are_refused() -> None:
    with pytest.raises(InputError, match="19 clips can be looked at, and the verifier needs 20"):
        fit_verifier(clips(19))


def test_looks_that_never_found_anything_else_teach_nothing() -> None:
    always = [
        ClipLooks(clip.first, clip.truths, tuple(answer for answer in clip.answers if answer.is_target))
        for clip in clips(20)
    ]
    with pytest.raises(InputError, match="always or never"):
        fit_verifier(always)
