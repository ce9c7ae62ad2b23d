"""One frame of a track: a target that is tracked is followed, a lost one is looked for."""

from __future__ import annotations

from typing import NamedTuple

from eatrack_edge.core.crops import Frame
from eatrack_edge.tracking.lifecycle import StateChange
from eatrack_edge.tracking.refinement import Refinement
from eatrack_edge.tracking.result import Stopwatch
from eatrack_edge.tracking.sight import Looker, Sight
from eatrack_edge.tracking.target import Target
from eatrack_edge.tracking.verifier import NO_EVIDENCE, probability


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


def follow(
    frame: Frame,
    target: Target,
    looker: Looker,
    refinement: Refinement,
    minimum_confidence: float,
    watch: Stopwatch,
) -> Step:
    """Find the target near its last box."""
    seen = looker.look(frame, target.region, target.search_window(), target.box, watch, is_new=False)
    if isinstance(seen, str):
        target.missed()
        change = target.observe(0.0, NO_EVIDENCE, note=seen)
        watch.lap("decode")
        return Step(0.0, change, note=seen)
    best, size_from = target.recovery.choose(seen.best, seen.maps, seen.window, target.box)
    confidence = looker.confidence(best)
    if confidence >= minimum_confidence or not looker.model_spec.is_calibrated:
        target.found(refinement.refine(seen.crop, seen.window, seen.window.to_frame(best.box)), size_from)
    else:
        target.missed()
    embedding = seen.embed(best)
    log_odds = target.verifier.log_odds(embedding, confidence)
    change = target.observe(confidence, log_odds)
    if target.reacquisition.is_taken_back(log_odds):
        change = target.take_back(confidence, log_odds) or change
    elif target.is_sure:
        target.verifier.learn(embedding, confidence)
    watch.lap("decode")
    return Step(confidence, change, seen)


def search(frame: Frame, target: Target, looker: Looker, refinement: Refinement, watch: Stopwatch) -> Step:
    """Look for a lost target. Its box stays until it is found, and verified.

    The confidence is the verifier's of the likeliest look: that of the network alone is high on another picture too.
    """
    log_odds = NO_EVIDENCE  # of the likeliest look
    notes = []
    for look in target.reacquisition.looks(target.frame_index):
        seen = looker.look(frame, target.region, look.window, look.expected, watch, is_new=look.find is None)
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
