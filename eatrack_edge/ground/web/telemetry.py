"""The numbers that the ground station shows, counted from the events of a session."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from eatrack_edge.core.boxes import Box
from eatrack_edge.outputs.base import FrameRecord
from eatrack_edge.session.events import (
    WAITING,
    EndEvent,
    Event,
    FrameEvent,
    OutputFailedEvent,
    SourceFoundEvent,
    SourceLostEvent,
    StateEvent,
)

TREND_S = 60.0  # that the plots show
_TREND_STEP_S = 0.2
_TREND_POINTS = round(TREND_S / _TREND_STEP_S)
_RETRY_S = 15.0
_RATE_S = 2.0  # over which frames per second are counted


class WatchedOutput(Protocol):
    """What is shown of an output; see ``OutputThread``."""

    name: str

    @property
    def dropped(self) -> int:
        """Frames that it was too slow for."""
        ...


@dataclass(frozen=True, slots=True)
class Board:
    """What the machine's sensors say; empty where it has none."""

    temperatures_c: Mapping[str, float] = field(default_factory=dict)  # by the zone's name
    power_w: float | None = None


class Telemetry:
    """Listens to a session in its thread, and is read in others.

    Args:
        model: Name of the model, for the page.
        source: Name of the source, for the page.

    Attributes:
        board: What the sensors said last.
        outputs: To be shown, such as the log and a recording.
    """

    def __init__(self, model: str = "", source: str = "") -> None:
        self.board = Board()
        self._lock = threading.Lock()  # held for microseconds: the session must not wait
        self.outputs: Sequence[WatchedOutput] = ()
        self._model, self._source_name = model, source
        self._failed: dict[str, tuple[str, float]] = {}  # reason, and until when it is shown
        self._start_ns = self._state_since_ns = time.monotonic_ns()
        self._newest: FrameEvent | None = None
        self._state, self._state_reason = WAITING, ""
        self._source = {"is_found": False, "text": "not found yet"}
        self._times_ns: deque[int] = deque(maxlen=1000)
        self._trend: deque[tuple[float, float | None, float, str]] = deque(maxlen=_TREND_POINTS)
        self._trend_ns: float = -math.inf  # when its newest point was taken
        self._update_ms: float | None = None
        self.frames = self.dropped = self.source_losses = 0
        self.end: Mapping[str, object] | None = None

    def offer(self, event: Event) -> None:
        """Count an event."""
        with self._lock:
            if isinstance(event, FrameEvent):
                self._take_frame(event)
            elif isinstance(event, StateEvent):
                self._state, self._state_reason, self._state_since_ns = event.state, event.reason, event.at_ns
            elif isinstance(event, SourceLostEvent):
                self.source_losses += event.was_found
                self._source = {"is_found": False, "text": event.reason}
            elif isinstance(event, SourceFoundEvent):
                self._source = {"is_found": True, "text": event.description}
            elif isinstance(event, OutputFailedEvent):
                # One that tries again says so again while it fails, and nothing when it has succeeded.
                until_ns = math.inf if event.is_final else event.at_ns + _RETRY_S * 1e9
                self._failed[event.output] = (event.reason, until_ns)
            elif isinstance(event, EndEvent):
                self.end = event.summary

    def _take_frame(self, event: FrameEvent) -> None:
        record, now_ns = event.record, time.monotonic_ns()
        self._newest = event
        self.frames += 1
        self.dropped += record.dropped
        self._times_ns.append(now_ns)
        self._update_ms = record.ms.get("total")
        if not self._source["is_found"]:  # a file has no link that could be found
            self._source = {"is_found": True, "text": ""}
        if now_ns - self._trend_ns >= _TREND_STEP_S * 1e9:
            self._trend_ns = now_ns
            seconds = (now_ns - self._start_ns) / 1e9
            self._trend.append((round(seconds, 2), finite(record.confidence), round(event.age_ms, 1), record.state))

    def snapshot(self) -> dict[str, object]:
        """The numbers of this moment, as JSON holds them; ``None`` where one is not known."""
        with self._lock:
            now_ns = time.monotonic_ns()
            event, record = self._newest, self._newest.record if self._newest else None
            recent = [at for at in self._times_ns if now_ns - at <= _RATE_S * 1e9]
            span_s = min(_RATE_S, (now_ns - self._start_ns) / 1e9)
            return {
                "model": self._model,
                "state": self._state,
                "state_reason": self._state_reason,
                "state_s": round((now_ns - self._state_since_ns) / 1e9, 1),
                "frame": record.frame if record else None,
                "box": plain_box(record.box) if record else None,
                "candidates": plain_candidates(record) if record else [],
                "confidence": finite(record.confidence) if record else None,
                "age_ms": round(event.age_ms, 1) if event else None,
                "since_frame_s": round((now_ns - self._times_ns[-1]) / 1e9, 2) if self._times_ns else None,
                "update_ms": finite(self._update_ms),
                "fps": round(len(recent) / span_s, 1) if span_s else 0.0,
                "frames": self.frames,
                "dropped": self.dropped,
                "source": {"name": self._source_name, **self._source},
                "source_losses": self.source_losses,
                "uptime_s": round((now_ns - self._start_ns) / 1e9, 1),
                "outputs": [
                    {"name": output.name, "dropped": output.dropped, "failure": self._failure(output.name, now_ns)}
                    for output in self.outputs
                ],
                "board": {"temperatures_c": dict(self.board.temperatures_c), "power_w": self.board.power_w},
                "ended": None if self.end is None else str(self.end.get("ended", "")),
            }

    def _failure(self, output: str, now_ns: int) -> str:
        reason, until_ns = self._failed.get(output, ("", 0))
        return reason if now_ns < until_ns else ""

    def trend(self) -> list[tuple[float, float | None, float, str]]:
        """The last minute, five times a second: (seconds, confidence, age in ms, state)."""
        with self._lock:
            return list(self._trend)

    def now_s(self) -> float:
        """The clock of ``trend``."""
        return (time.monotonic_ns() - self._start_ns) / 1e9


def finite(value: float | None) -> float | None:
    """A number that JSON can hold; ``None`` for what is none, such as the confidence of a frame without a target."""
    return None if value is None or not math.isfinite(value) else round(float(value), 4)


def plain_box(box: Box | None) -> list[float] | None:
    """A box as JSON holds it, to a hundredth of a pixel."""
    return None if box is None else [round(float(side), 2) for side in box]


def plain_candidates(record: FrameRecord) -> list[dict[str, object]]:
    """What may be a lost target, the likeliest first, as JSON holds it."""
    return [{"box": plain_box(box), "probability": finite(probability)} for box, probability in record.candidates]
