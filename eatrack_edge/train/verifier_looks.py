"""Looks at training clips, from which the verifier is learned: at the target, beside it, and at other targets.

Each place is looked at as a candidate is: once to find something there, and once more around what was found. What the
second look finds is the target or is not, by its overlap with the true box. See ``tracking.reacquisition``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eatrack_edge.core.boxes import Box, iou
from eatrack_edge.core.crops import CropWindow, Frame, Scratch
from eatrack_edge.datasets.shards import ShardTarget
from eatrack_edge.inference.backend import Maps
from eatrack_edge.tracking.embedding import tokens_in_parts
from eatrack_edge.tracking.result import Stopwatch
from eatrack_edge.tracking.search_region import SearchRegion
from eatrack_edge.tracking.sight import Looker, Sight
from eatrack_edge.tracking.tracker import Tracker

_FRAMES = 24  # of a clip at most
_LEAST_FRAMES = 3
_OFF_CENTRE = 0.8  # sides by which the target is off the centre of a search region at most
_AWAY = 2.6, 4.5  # sides from the target at which the search region shows what is beside it
_AWAY_LOOKS = 2  # a frame
_OTHERS = 6  # targets of the same source that are looked at with a clip's template
_SIZE_JITTER = 0.08  # standard deviation of the log
_IS_TARGET, _IS_NOT = 0.3, 0.1  # overlap from which, and below which
_LEAST_CONFIDENCE = 0.02  # below, nothing would be looked at again

Parts = NDArray[np.float32]  # tokens of 3 x 3 parts of a box, shape (9, dim)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a second look found.

    Attributes:
        parts: Tokens of the box.
        confidence: Of the network, [0, 1].
        second_score: Of the second network, [0, 1]; ``nan`` without one.
        is_target: Whether it is the target.
        place: Of its frame in ``ClipLooks.truths``; -1 for another target's picture.
    """

    parts: Parts
    confidence: float
    second_score: float
    is_target: bool
    place: int


@dataclass(frozen=True, slots=True)
class ClipLooks:
    """All looks with the template of one clip.

    Attributes:
        first: Place in ``truths`` of the frame that the template is from.
        truths: Tokens of the true box in each frame.
        answers: What the looks found.
    """

    first: int
    truths: tuple[Parts, ...]
    answers: tuple[Answer, ...]


class ClipLooker:
    """Looks at clips with one network.

    Args:
        tracker: Has the network, and the refinement whose second network is asked as well.
    """

    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker
        self._looker = Looker(tracker.backend, tracker.settings.size_penalty)
        self._region = SearchRegion(tracker.model_spec, Scratch())

    def look_at(self, clip: ShardTarget, others: Sequence[ShardTarget], seed: int) -> ClipLooks | None:
        """Look at one clip, and at others with its template; ``None`` where it is too short or shows nothing.

        Args:
            clip: Its frames are looked at, ``_FRAMES`` of them at most.
            others: Targets that are not the clip's.
            seed: Of the places.
        """
        rng = np.random.default_rng((2026, seed))
        crops = [clip.crops[place] for place in _some(rng, len(clip.crops), _FRAMES)]
        if len(crops) < _LEAST_FRAMES:
            return None
        first = int(rng.integers(0, max(1, len(crops) // 3)))
        self._tracker.init(crops[first].picture(), crops[first].box)
        truths: list[Parts] = []
        answers: list[Answer] = []
        for crop in crops:
            frame = crop.picture()
            truths.append(self._truth(frame, crop.box))
            for around in _places(rng, crop.box, frame):
                answers += self._answers(frame, around, crop.box, len(truths) - 1)
        for other in others:
            crop = other.crops[0]
            answers += self._answers(crop.picture(), _jittered(rng, crop.box), None, -1)
        return ClipLooks(first, tuple(truths), tuple(answers))

    def _truth(self, frame: Frame, box: Box) -> Parts:
        window = self._region.window(box)
        return _parts(self._tracker.backend.infer(self._region.cut(frame, window)), window.to_crop(box), window)

    def _answers(self, frame: Frame, around: Box, truth: Box | None, place: int) -> Iterator[Answer]:
        found = self._look(frame, around, is_new=True)
        if found is None or self._looker.confidence(found.best) < _LEAST_CONFIDENCE:
            return
        again = self._look(frame, found.box, is_new=False)
        if again is None:
            return
        overlap = 0.0 if truth is None else float(iou(np.array([again.box]), np.array([truth]))[0])
        if _IS_NOT <= overlap < _IS_TARGET:
            return  # part of it, or it and more
        score = self._tracker.refinement.score(again.crop)
        yield Answer(
            _parts(again.maps, again.best.box, again.window),
            self._looker.confidence(again.best),
            math.nan if score is None else score,
            overlap >= _IS_TARGET,
            place,
        )

    def _look(self, frame: Frame, around: Box, *, is_new: bool) -> Sight | None:
        window = self._region.window(around)
        sight = self._looker.look(frame, self._region, window, around, Stopwatch(), is_new=is_new)
        return None if isinstance(sight, str) else sight


def look_at_clips(looker: ClipLooker, targets: Sequence[ShardTarget], seed: int = 0) -> Iterator[ClipLooks]:
    """Look at every clip among the targets, with others of the same source beside it."""
    by_source: dict[str, list[ShardTarget]] = {}
    for target in targets:
        by_source.setdefault(target.source, []).append(target)
    for number, clip in enumerate(targets):
        if not clip.clip:
            continue
        same = [other for other in by_source[clip.source] if other is not clip]
        rng = np.random.default_rng((seed, number))
        looks = looker.look_at(clip, [same[place] for place in _some(rng, len(same), _OTHERS)], seed + number)
        if looks is not None and looks.answers:
            yield looks


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


def _parts(maps: Maps, box: Box, window: CropWindow) -> Parts:
    return tokens_in_parts(maps.search_tokens, box, window.out_size)
