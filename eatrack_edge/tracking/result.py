"""What an update returns."""

from __future__ import annotations

from time import perf_counter
from typing import NamedTuple

from eatrack_edge.core.boxes import Box
from eatrack_edge.tracking.lifecycle import StateChange, TrackState
from eatrack_edge.tracking.reacquisition import Candidate
from eatrack_edge.tracking.templates import TemplateEvent


class Latency(NamedTuple):
    """Where an update's time went, in milliseconds. While a lost target is looked for, of all looks together."""

    crop: float
    infer: float  # copies to and from the backend included
    decode: float  # a refinement's second look included
    template: float  # storing the target and, when it is replaced, encoding the new template
    total: float


class Stopwatch:
    """Adds up what the stages of an update take."""

    def __init__(self) -> None:
        self._start = self._last = perf_counter()
        self._spent = {"crop": 0.0, "infer": 0.0, "decode": 0.0, "template": 0.0}

    def lap(self, stage: str) -> None:
        """A stage ends: one of ``crop``, ``infer``, ``decode``, ``template``."""
        now = perf_counter()
        self._spent[stage] += 1000 * (now - self._last)
        self._last = now

    def latency(self) -> Latency:
        """All stages until now."""
        return Latency(**self._spent, total=1000 * (self._last - self._start))


class TrackResult(NamedTuple):
    """The result of one frame.

    Attributes:
        box: (x, y, w, h) in pixels of the frame, inside it; refined where a refinement is on, and in its extent like
            the box that was drawn. In ``LOST`` it is no claim: the search goes on from there.
        confidence: Probability that the box is on the target, in [0, 1]; 0 where the frame gave no evidence. While a
            lost target is looked for, that what was found is the target.
        state: See ``TrackState``.
        latency_ms: Where the time went.
        template_event: The decision about the second template, on frames that have one.
        note: Why a frame gave no evidence; empty otherwise.
        state_change: On the first frame of another state, from which one, and why.
        last_reliable_box: In ``LOST``, the last box that was claimed without doubt; ``None`` in the other states.
        candidates: While a lost target is looked for, what may be it, the likeliest first: for a person to choose from.
            Their boxes are inside the frame.
    """

    box: Box
    confidence: float
    state: TrackState
    latency_ms: Latency
    template_event: TemplateEvent | None = None
    note: str = ""
    state_change: StateChange | None = None
    last_reliable_box: Box | None = None
    candidates: tuple[Candidate, ...] = ()

    @property
    def is_target_visible(self) -> bool:
        """Whether a box is claimed: in every state but ``LOST``."""
        return self.state.is_target_visible
