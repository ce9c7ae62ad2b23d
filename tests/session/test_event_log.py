from __future__ import annotations

import json
from pathlib import Path

from eatrack_edge.outputs.base import FrameRecord
from eatrack_edge.outputs.live_jsonl import LiveJsonLines
from eatrack_edge.session.event_log import EventLog, event_line
from eatrack_edge.session.events import FrameEvent, SourceFoundEvent
from eatrack_edge.session.recorder import RecordedLog
from eatrack_edge.session.recording_folder import RecordingFolder
from session.simulated_sessions import live_frame


def frame_event(number: int, width: int, height: int) -> FrameEvent:
    return FrameEvent(live_frame(number, width, height), FrameRecord(number, 0.0, None, 0.0, "WAITING"), 1.0)


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_frame_of_another_size_comes_after_a_line_that_says_so(tmp_path: Path) -> None:
    log = EventLog(LiveJsonLines(tmp_path / "fly.jsonl", {}))
    for number, size in enumerate(((64, 36), (64, 36), (96, 54), (96, 54))):
        log.take(frame_event(number, *size))
    log.finish(None)
    _, *written = lines(tmp_path / "fly.jsonl")
    assert [line["type"] for line in written] == ["frame", "frame", "size_change", "frame", "frame"]
    assert written[2] == {"type": "size_change", "frame": 2, "from": [64, 36], "size": [96, 54]}


def test_a_source_that_is_found_has_its_size_in_the_log() -> None:
    assert event_line(SourceFoundEvent("PyAV", 0.5, 1, (96, 54)))["size"] == (96, 54)


def test_each_file_of_a_recording_says_the_size_of_its_frames(tmp_path: Path) -> None:
    log = RecordedLog(RecordingFolder(tmp_path / "rec"), 0, {}, segment_ns=1002)  # frame 2 is captured at 1002
    for number, size in enumerate(((64, 36), (64, 36), (96, 54))):
        log.take(frame_event(number, *size))
    log.finish(None)
    header, change, _ = lines(tmp_path / "rec" / "run-0001" / "00001.jsonl")
    assert (header["size"], change["size"]) == ([64, 36], [96, 54])
