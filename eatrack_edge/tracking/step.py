"""One frame of a track: a target that is tracked is followed, a lost one is looked for."""

from __future__ import annotations

from typing import NamedTuple

from eatrack_edge.core.boxes import Box, sides_between
from eatrack_edge.core.crops import Frame
from eatrack_edge.tracking.acceptance import is_known_in_place, needed_log_odds
from eatrack_edge.tracking.decode import Decoded
from eatrack_edge.tracking.embedding import Embedding
from eatrack_edge.tracking.lifecycle import StateChange
from eatrack_edge.tracking.refinement import Refinement
from eatrack_edge.tracking.result import Stopwatch
from eatrack_edge.tracking.settings import TrackerSettings
from eatrack_edge.tracking.sight import Looker, Sight
from eatrack_edge.tracking.target import Target
from eatrack_edge.tracking.verifier import NO_EVIDENCE, probability

_ELSEWHERE = "what appears elsewhere is unlike the target"


class Step(NamedTuple):
    """What a frame showed of the target.

    Attributes:
        confidence: Probability that the box is on the target, [0, 1].
        change: Of the state.
        sight: Of the box, where there is one to take a template from.
        note: Why the frame gave no evidence; empty otherwise.
    """

    confidence: float
    change: StateChange | None
    sight: Sight | None = None
    note: str = ""


class _Found(NamedTuple):
    """What a look at the place where the target is expected found.

    Attributes:
        sight: The look.
        best: The box to follow, in the search crop.
        size_from: The box whose size it continues from, pixels of the frame.
        confidence: Probability that the box is on the target, [0, 1].
        log_odds: The same by the verifier.
        embedding: Of the box.
        is_known: Whether it is where it is expected, and the verifier knows it.
        note: Why it is not the target; empty where it may be.
    """

    sight: Sight
    best: Decoded
    size_from: Box
    confidence: float
    log_odds: float
    embedding: Embedding
    is_known: bool = False
    note: str = ""

    @property
    def box(self) -> Box:
        """The box to follow, pixels of the frame."""
        return self.sight.window.to_frame(self.best.box)


def follow(
    frame: Frame, target: Target, looker: Looker, refinement: Refinement, settings: TrackerSettings, watch: Stopwatch
) -> Step:
    """Find the target near its last box: in the search region, and if that does not show it, by a wide look."""
    found = _look_near(frame, target, looker, watch)
    is_followed = _is_followed(found, settings.minimum_confidence) or not looker.model_spec.is_calibrated
    if not is_followed and settings.wide_look:
        wide = _look_wide(frame, target, looker, settings.minimum_confidence, watch)
        if wide is not None:
            found, is_followed = wide, True
    if isinstance(found, str):
        target.missed()
        change = target.observe(0.0, NO_EVIDENCE, note=found)
        watch.lap("decode")
        return Step(0.0, change, note=found)
    confidence, log_odds, seen = found.confidence, found.log_odds, found.sight
    if not is_followed:
        target.missed()
    elif looker.model_spec.is_calibrated and confidence < settings.minimum_confidence:
        target.moved(found.box)
    else:
        target.found(refinement.refine(seen.crop, seen.window, found.box), found.size_from)
    change = target.observe(confidence, log_odds, is_known=found.is_known, note=found.note)
    if target.reacquisition.is_taken_back(log_odds):
        change = target.take_back(confidence, log_odds) or change
    elif target.may_be_learned:
        target.verifier.learn(found.embedding, confidence)
        target.remember_scene(frame)
    watch.lap("decode")
    return Step(confidence, change, seen if is_followed else None, found.note)


def _look_near(frame: Frame, target: Target, looker: Looker, watch: Stopwatch) -> _Found | str:
    """Look where the target is expected; in words why there is no evidence."""
    seen = looker.look(frame, target.region, target.region.window(target.expected), target.box, watch, is_new=False)
    if isinstance(seen, str):
        return seen
    best, size_from = target.recovery.choose(seen.best, seen.maps, seen.window, target.box)
    found = _found(target, looker, seen, best, size_from)
    sides = sides_between(target.expected, found.box)
    if looker.model_spec.is_calibrated and found.log_odds < _needed_log_odds(target, sides):
        return found._replace(confidence=0.0, note=_ELSEWHERE)  # the network's confidence is of another object
    return found._replace(is_known=is_known_in_place(sides, found.log_odds))


def _is_followed(found: _Found | str, minimum_confidence: float) -> bool:
    """Whether what the search region shows is the target."""
    return not isinstance(found, str) and (found.confidence >= minimum_confidence or found.is_known)


def _look_wide(
    frame: Frame, target: Target, looker: Looker, minimum_confidence: float, watch: Stopwatch
) -> _Found | None:
    """Look for a target that has left its search region; ``None`` where it is not found."""
    place = target.wide_look.next(target.expected)
    window = target.region.window(place.box, place.scale)
    seen = looker.look(frame, target.region, window, target.box, watch, is_new=True)
    if isinstance(seen, str):
        return None
    found = _found(target, looker, seen, seen.best, target.box)
    # It shows other objects that may be taken for the target, so the verifier is asked as well.
    needed = max(place.minimum_log_odds, _needed_log_odds(target, sides_between(target.expected, found.box)))
    is_target = found.confidence >= minimum_confidence and found.log_odds >= needed
    return found if is_target else None


def _needed_log_odds(target: Target, sides: float) -> float:
    """What the verifier has to say for following the target to so many sides from where it is expected."""
    return needed_log_odds(sides, target.pace.times_longest(sides), is_doubtful=not target.lifecycle.is_confirmed)


def _found(target: Target, looker: Looker, seen: Sight, best: Decoded, size_from: Box) -> _Found:
    confidence, embedding = looker.confidence(best), seen.embed(best)
    return _Found(seen, best, size_from, confidence, target.verifier.log_odds(embedding, confidence), embedding)


def search(frame: Frame, target: Target, looker: Looker, refinement: Refinement, watch: Stopwatch) -> Step:
    """Look for a lost target. Its box stays until it is found, and verified.

    The confidence is the verifier's of the likeliest look: that of the network alone is high on another picture too.
    """
    log_odds = NO_EVIDENCE  # of the likeliest look
    notes = []
    for look in target.reacquisition.looks(target.frame_index):
        window = target.region.window(look.expected, look.scale)
        seen = looker.look(frame, target.region, window, look.expected, watch, is_new=look.find is None)
        notes.append(seen if isinstance(seen, str) else "")
        if isinstance(seen, str):
            continue
        # In a new place the target is too far from the centre for the second network.
        second_score = None if look.find is None else refinement.score(seen.crop)
        odds_here = target.verifier.log_odds(seen.embed(seen.best), looker.confidence(seen.best), second_score)
        target.reacquisition.looked(look, target.frame_index, seen.box, odds_here)
        log_odds = max(log_odds, odds_here)
        watch.lap("decode")
    if (found := target.reacquisition.found(target.frame_index)) is not None:
        log_odds = found.log_odds
        target.found_again(found.box)
    note = notes[0] if all(notes) else ""
    confidence = 0.0 if note else probability(log_odds)
    change = target.observe(confidence, log_odds, is_found=found is not None, note=note)
    watch.lap("decode")
    return Step(confidence, change, note=note)
