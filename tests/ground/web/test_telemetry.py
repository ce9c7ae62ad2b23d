from __future__ import annotations

import math
import time

import pytest
from prometheus_client.parser import text_string_to_metric_families

from eatrack_edge.ground.web.prometheus_text import metrics_text
from eatrack_edge.ground.web.telemetry import Board, Telemetry
from eatrack_edge.outputs.base import FrameRecord
from eatrack_edge.session.events import (
    EndEvent,
    FrameEvent,
    OutputFailedEvent,
    SourceFoundEvent,
    SourceLostEvent,
    StateEvent,
)
from session.simulated_sessions import live_frame


class Log:
    name = 'a "log"\n.jsonl'
    dropped = 3


def frame_event(number: int, state: str = "TRACKING", confidence: float = 0.9, dropped: int = 0) -> FrameEvent:
    record = FrameRecord(number, number / 30, (1, 2, 3, 4), confidence, state, ms={"total": 12.5}, dropped=dropped)
    return FrameEvent(live_frame(number), record, 42.0)


def flown() -> Telemetry:
    telemetry = Telemetry("eatrack_s", "camera")
    telemetry.outputs = [Log()]
    telemetry.offer(SourceFoundEvent("PyAV", 0.5, time.monotonic_ns()))
    telemetry.offer(StateEvent("TRACKING", "WAITING", 0, time.monotonic_ns(), "selected"))
    for number in range(10):
        telemetry.offer(frame_event(number, dropped=number == 5))
    return telemetry


def test_the_numbers_are_those_of_the_events() -> None:
    numbers = flown().snapshot()
    assert (numbers["state"], numbers["state_reason"], numbers["frame"]) == ("TRACKING", "selected", 9)
    assert (numbers["frames"], numbers["dropped"], numbers["confidence"], numbers["age_ms"]) == (10, 1, 0.9, 42.0)
    assert (numbers["box"], numbers["update_ms"]) == ([1, 2, 3, 4], 12.5)
    assert numbers["source"] == {"name": "camera", "is_found": True, "text": "PyAV"}
    assert numbers["outputs"] == [{"name": Log.name, "dropped": 3, "failure": ""}]


def test_what_may_be_a_lost_target_is_sent_in_hundredths_of_a_pixel() -> None:
    telemetry = flown()
    assert telemetry.snapshot()["candidates"] == []
    candidates = [((10.123, 5, 20, 16), 0.62345), ((0, 40, 6, 8), 0.3)]
    record = FrameRecord(10, 0.3, None, 0.1, "LOST", candidates=candidates)
    telemetry.offer(FrameEvent(live_frame(10, width=64, height=48), record, 42.0))
    assert telemetry.snapshot()["candidates"] == [
        {"box": [10.12, 5, 20, 16], "probability": 0.6234},
        {"box": [0, 40, 6, 8], "probability": 0.3},
    ]


def test_losses_failures_and_the_end_are_shown() -> None:
    telemetry = flown()
    telemetry.offer(SourceLostEvent("connection reset", 1))
    telemetry.offer(OutputFailedEvent(Log.name, "the disk is full", 1))
    telemetry.offer(EndEvent({"ended": "quit"}))
    numbers = telemetry.snapshot()
    assert numbers["source"] == {"name": "camera", "is_found": False, "text": "connection reset"}
    assert (numbers["source_losses"], numbers["ended"]) == (1, "quit")
    assert numbers["outputs"] == [{"name": Log.name, "dropped": 3, "failure": "the disk is full"}]


def test_an_output_that_tries_again_is_shown_as_failed_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    telemetry = flown()
    now_ns = time.monotonic_ns()
    telemetry.offer(OutputFailedEvent(Log.name, "nobody listens; trying again", now_ns, is_final=False))
    assert telemetry.snapshot()["outputs"][0]["failure"] == "nobody listens; trying again"
    monkeypatch.setattr(time, "monotonic_ns", lambda: now_ns + 16_000_000_000)
    assert telemetry.snapshot()["outputs"][0]["failure"] == ""


def test_what_is_not_known_is_none() -> None:
    numbers = Telemetry().snapshot()
    assert {key for key, value in numbers.items() if value is None} == {
        *("frame", "box", "confidence", "age_ms", "since_frame_s", "update_ms", "ended")
    }
    telemetry = Telemetry()
    telemetry.offer(frame_event(0, confidence=math.nan))
    assert telemetry.snapshot()["confidence"] is None
    assert telemetry.trend()[0][1] is None


def test_the_trend_of_ten_minutes_takes_the_memory_of_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    clock_ns = 0
    monkeypatch.setattr(time, "monotonic_ns", lambda: clock_ns)
    telemetry = Telemetry()
    event = frame_event(0)
    for number in range(5 * 600):
        clock_ns = number * 200_000_000
        telemetry.offer(event)
    trend = telemetry.trend()
    assert len(trend) == 300
    assert trend[-1][0] - trend[0][0] == pytest.approx(60, abs=0.5)


def test_prometheus_reads_the_metrics() -> None:
    telemetry = flown()
    telemetry.board = Board({"gpu-thermal": 61.5}, 12.4)
    text = metrics_text(telemetry.snapshot(), 2, 99, {"0.5": 0.08, "0.95": None})
    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert samples["eatrack_frames_total",] == 10
    assert samples["eatrack_frames_dropped_total",] == 1
    assert samples["eatrack_frame_age_seconds",] == 0.042
    assert samples["eatrack_state", "TRACKING"] == 1
    assert samples["eatrack_state", "LOST"] == 0
    assert samples["eatrack_source_up",] == 1
    assert samples["eatrack_page_age_seconds", "0.5"] == 0.08
    assert ("eatrack_page_age_seconds", "0.95") not in samples
    assert samples["eatrack_temperature_celsius", "gpu-thermal"] == 61.5
    assert samples["eatrack_power_watts",] == 12.4
    assert samples["eatrack_output_dropped_total", Log.name] == 3
    assert samples["eatrack_viewers",] == 2


def test_a_state_that_nobody_knew_has_a_series_too() -> None:
    telemetry = flown()
    telemetry.offer(StateEvent("SEARCHING", "TRACKING", 10, time.monotonic_ns()))
    assert 'eatrack_state{state="SEARCHING"} 1' in metrics_text(telemetry.snapshot(), 0, 0, {})
