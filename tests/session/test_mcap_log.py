"""MCAP files, read back by libraries that somebody else wrote."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

import pytest

from eatrack_edge.core.errors import MissingExtra, OutputError
from eatrack_edge.outputs.base import FrameRecord
from eatrack_edge.outputs.mcap import McapFile
from eatrack_edge.session.events import EndEvent, FrameEvent, SourceLostEvent
from eatrack_edge.session.mcap_log import McapLog
from session.simulated_sessions import live_frame

pytest.importorskip("mcap")
WALL_NS = 1_700_000_000_123_456_789


def frame_event(number: int, box: tuple[float, float, float, float] | None) -> FrameEvent:
    confidence = math.nan if box is None else 0.75
    record = FrameRecord(number, number / 30, box, confidence, wall_ns=WALL_NS + number * 33_333_333)
    return FrameEvent(live_frame(number), record, 20.0)


def write(path: Path, count: int = 3) -> Path:
    log = McapLog(McapFile(path), {"source": "sim://x"})
    for number in range(count):
        log.take(frame_event(number, (10.5, 20.25, 30.0, 41.0)))
    log.take(frame_event(count, None))
    log.take(SourceLostEvent("gone", 7))
    log.take(EndEvent({"frames": count + 1}))
    log.finish(None)
    return path


def write_many(log: McapLog, count: int) -> None:
    for number in range(count):
        log.take(frame_event(number, (10, 20, 30, 40)))


def test_ros2s_own_decoder_reads_the_box_the_score_and_the_times(tmp_path: Path) -> None:
    decoder = pytest.importorskip("mcap_ros2.decoder")
    from mcap.reader import make_reader

    with write(tmp_path / "fly.mcap").open("rb") as file:
        reader = make_reader(file, decoder_factories=[decoder.DecoderFactory()])
        assert reader.get_header().profile == "ros2"
        read = list(reader.iter_decoded_messages())
    arrays = [one for one in read if one.channel.topic == "/eatrack/detections"]
    assert [len(one.decoded_message.detections) for one in arrays] == [1, 1, 1, 0]
    message: Any = arrays[1].decoded_message
    stamp_ns = message.header.stamp.sec * 10**9 + message.header.stamp.nanosec
    assert arrays[1].message.log_time - stamp_ns == 20_000_000  # the age of the frame
    assert stamp_ns == WALL_NS + 33_333_333 - 20_000_000
    (found,) = message.detections
    assert (found.bbox.center.position.x, found.bbox.center.position.y) == (25.5, 40.75)
    assert (found.bbox.size_x, found.bbox.size_y, found.bbox.center.theta, found.id) == (30.0, 41.0, 0.0, "1")
    (result,) = found.results
    assert (result.hypothesis.class_id, result.hypothesis.score) == ("target", 0.75)
    assert (result.pose.pose.orientation.w, sum(result.pose.covariance)) == (1.0, 0.0)
    lines = [json.loads(one.decoded_message.data) for one in read if one.schema.name == "std_msgs/msg/String"]
    frames = [line for line in lines if line["type"] == "frame"]
    assert [line["type"] for line in lines if line["type"] != "frame"] == ["header", "source_lost", "summary"]
    assert (len(frames), frames[0]["age_ms"], frames[3]["box"]) == (4, 20.0, None)


def test_rosbags_reads_every_topic_as_a_bag_of_ros2(tmp_path: Path) -> None:
    highlevel = pytest.importorskip("rosbags.highlevel")
    with highlevel.AnyReader([write(tmp_path / "fly.mcap")]) as reader:
        assert {one.topic: one.msgtype for one in reader.connections} == {
            "/eatrack/detections": "vision_msgs/msg/Detection2DArray",
            "/eatrack/frame": "std_msgs/msg/String",
            "/eatrack/event": "std_msgs/msg/String",
        }
        wanted = [one for one in reader.connections if one.topic == "/eatrack/detections"]
        read = [reader.deserialize(raw, one.msgtype) for one, _, raw in reader.messages(wanted)]
    assert read[0].detections[0].bbox.size_y == 41.0
    assert read[0].detections[0].results[0].hypothesis.score == 0.75
    assert read[3].detections == []


def test_a_file_that_was_not_finished_is_read_as_a_stream(tmp_path: Path) -> None:
    from mcap.exceptions import EndOfFile
    from mcap.stream_reader import StreamReader

    log = McapLog(McapFile(tmp_path / "cut.mcap"), {})
    write_many(log, 200)
    messages = 0
    with (tmp_path / "cut.mcap").open("rb") as file:
        try:
            for record in StreamReader(file).records:
                messages += type(record).__name__ == "Message"
        except EndOfFile:
            pass
    assert messages > 2 * (200 - 60)
    log.finish(None)


def test_a_disk_that_is_full_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = McapFile(tmp_path / "full.mcap")
    file._file.stream.close()
    monkeypatch.setattr(file._file, "stream", Path("/dev/full").open("wb", buffering=0))  # noqa: SIM115
    log = McapLog(file, {})
    with pytest.raises(OutputError, match="cannot be written: no space left on device") as caught:
        write_many(log, 200)
    log.finish(caught.value)


def test_without_the_library_the_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mcap.writer", None)
    with pytest.raises(MissingExtra) as caught:
        McapFile(tmp_path / "fly.mcap")
    assert str(caught.value) == "cannot write an MCAP file: mcap is not installed\nhint: pip install mcap"
    assert not (tmp_path / "fly.mcap").exists()
