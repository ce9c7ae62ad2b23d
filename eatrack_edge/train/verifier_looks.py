"""Looks at training clips, from which the verifier is learned: at the target, beside it, and at other targets.

Each place is looked at as a candidate is: once to find something there, and once more around what was found. What the
second look finds is the target or is not, by its overlap with the true box. See ``tracking.reacquisition``.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from eatrack_edge.core.boxes import Box, iou, part_in_frame
from eatrack_edge.core.crops import Frame, Scratch
from eatrack_edge.core.errors import InputError
from eatrack_edge.core.frames import frame_size
from eatrack_edge.datasets.shards import ShardTarget
from eatrack_edge.tracking.embedding import Embedding, embed_parts, renew
from eatrack_edge.tracking.result import Stopwatch
from eatrack_edge.tracking.search_region import SearchRegion
from eatrack_edge.tracking.sight import Looker, Sight
from eatrack_edge.tracking.tracker import Tracker

_FRAMES = 24  # of a clip at most
LEAST_FRAMES = 3  # of a clip: it is looked at in all but the first
_OFF_CENTRE = 0.8  # sides by which the target is off the centre of a search region at most
_AWAY = 2.6, 4.5  # sides from the target at which the search region shows what is beside it
_AWAY_LOOKS = 2  # a frame
_OTHERS = 6  # targets of the same source that are looked at with a clip's template
_SIZE_JITTER = 0.08  # standard deviation of the log
_IS_TARGET, _IS_NOT = 0.3, 0.1  # overlap from which, and below which
# What a target looked like last is, in a flight, half forgotten in 7 frames. A clip shows every few frames.
_KEPT = 0.5  # share of it that is left after one frame of a clip
_LAG = 2  # frames of a clip from then to what is compared with it
_LEAST_CONFIDENCE = 0.02  # below, nothing would be looked at again


class Answer(NamedTuple):
    """What a second look found: the verifier's signs, and the truth.

    Attributes:
        confidence: Of the network, [0, 1].
        first: Cosine to the target in the first frame.
        latest: Cosine to the target as it was seen last.
        second: Score of the second network, [0, 1]; ``nan`` without one.
        is_target: Whether it is the target.
    """

    confidence: float
    first: float
    latest: float
    second: float
    is_target: bool


class ClipLooker:
    """Looks at clips with one network.

    Args:
        tracker: Has the network, and the refinement whose second network is asked as well.
    """

    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker
        self._looker = Looker(tracker.backend, tracker.settings.size_penalty)
        self._region = SearchRegion(tracker.model_spec, Scratch())

    def look_at(self, clip: ShardTarget, others: Sequence[ShardTarget], rng: np.random.Generator) -> list[Answer]:
        """Look at one clip with the template of its first frame, and at others with the same template.

        Args:
            clip: Its frames are looked at, ``_FRAMES`` of them at most.
            others: Targets that are not the clip's.
            rng: Chooses the places.

        Returns:
            Nothing of a clip that is too short.

        Raises:
            InputError: A picture cannot be read, or the first shows no target.
        """
        crops = [clip.crops[place] for place in _some(rng, len(clip.crops), _FRAMES)]
        if len(crops) < LEAST_FRAMES:
            return []
        try:
            first = self._start(crops[0].picture(), crops[0].box)
        except InputError as error:
            raise InputError(f"{crops[0].name}: {error.message}", hint=error.hint) from error
        latest = _LAG * [first]  # the target as it was seen so many frames ago, the newest last
        answers = []
        for crop in crops[1:]:
            frame, seen = crop.picture(), latest[-1]
            for around in _places(rng, crop.box, frame):
                for answer, embedding in self._answers(frame, around, crop.box, first, latest[-_LAG]):
                    answers.append(answer)
                    if answer.is_target:
                        seen = renew(latest[-1], embedding, _KEPT)
            latest.append(seen)
        for other in others:
            crop = other.crops[0]
            around = _jittered(rng, crop.box)
            answers += [answer for answer, _ in self._answers(crop.picture(), around, None, first, latest[-1])]
        return answers

    def _start(self, frame: Frame, box: Box) -> Embedding:
        """Begin with a target; what it looks like."""
        box = part_in_frame(box, *frame_size(frame))
        self._tracker.init(frame, box)
        window = self._region.window(box)
        maps = self._tracker.backend.infer(self._region.cut(frame, window))
        return embed_parts(maps.search_tokens, window.to_crop(box), window.out_size)

    def _answers(
        self, frame: Frame, around: Box, truth: Box | None, first: Embedding, latest: Embedding
    ) -> Iterator[tuple[Answer, Embedding]]:
        """What looking around a box finds, if anything, and what that looks like."""
        found = self._look(frame, around, is_new=True)
        if found is None or self._looker.confidence(found.best) < _LEAST_CONFIDENCE:
            return
        again = self._look(frame, found.box, is_new=False)
        if again is None:
            return
        overlap = 0.0 if truth is None else float(iou(np.array([again.box]), np.array([truth]))[0])
        if _IS_NOT <= overlap < _IS_TARGET:
            return  # part of it, or it and more
        embedding = again.embed(again.best)
        confidence, score = self._looker.confidence(again.best), self._tracker.refinement.score(again.crop)
        signs = confidence, float(embedding @ first), float(embedding @ latest), math.nan if score is None else score
        yield Answer(*signs, overlap >= _IS_TARGET), embedding

    def _look(self, frame: Frame, around: Box, *, is_new: bool) -> Sight | None:
        window = self._region.window(around)
        sight = self._looker.look(frame, self._region, window, around, Stopwatch(), is_new=is_new)
        return None if isinstance(sight, str) else sight


def look_at_clips(looker: ClipLooker, targets: Sequence[ShardTarget], seed: int = 0) -> Iterator[list[Answer]]:
    """Look at every clip among the targets, and at others of its source; the answers, clip by clip.

    Args:
        looker: Has the network.
        targets: Clips, and stills, which are looked at as others alone.
        seed: Of the places that are looked at.

    Raises:
        InputError: A clip is there twice, or a picture cannot be used.
    """
    by_source: dict[str, list[ShardTarget]] = {}
    for target in targets:
        by_source.setdefault(target.source, []).append(target)
    counts = Counter((target.source, target.clip) for target in targets if target.clip)
    for (source, name), count in counts.items():
        if count > 1:  # its copy would be looked at as another target
            raise InputError(f"clip `{name}` of {source} was given {count} times")
    for number, clip in enumerate(targets):
        if not clip.clip:
            continue
        same = [other for other in by_source[clip.source] if other is not clip]
        rng = np.random.default_rng((2026, seed, number))
        others = [same[place] for place in _some(rng, len(same), _OTHERS)]
        answers = looker.look_at(clip, others, rng)
        if answers:
            yield answers


def _places(rng: np.random.Generator, box: Box, frame: Frame) -> Iterator[Box]:
    """Boxes around which to look in a frame: about the target, and where the search region shows what is beside it."""
    yield _jittered(rng, box)
    x, y, w, h = box
    for _ in range(_AWAY_LOOKS):
        angle, distance = rng.uniform(0, 2 * math.pi), rng.uniform(*_AWAY) * math.sqrt(w * h)
        cx, cy = x + w / 2 + distance * math.cos(angle), y + h / 2 + distance * math.sin(angle)
        if 0 < cx < frame.shape[1] and 0 < cy < frame.shape[0]:
            yield cx - w / 2, cy - h / 2, w, h


def _jittered(rng: np.random.Generator, box: Box) -> Box:
    x, y, w, h = box
    side, scale = math.sqrt(w * h), math.exp(rng.normal(0, _SIZE_JITTER))
    across, down = rng.uniform(-_OFF_CENTRE, _OFF_CENTRE, 2) * side
    return x + across, y + down, w * scale, h * scale


def _some(rng: np.random.Generator, length: int, count: int) -> list[int]:
    """Places in a list, all or ``count`` of them at random, in order."""
    return sorted(rng.choice(length, min(count, length), replace=False).tolist())
