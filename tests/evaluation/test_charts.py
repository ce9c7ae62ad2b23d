from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import numpy as np

from eatrack_edge.evaluation.charts import accuracy_chart, frame_chart

COLOURS = {"one": "#0072B2", "two": "#D55E00"}


def test_a_long_sequence_keeps_its_single_failed_frame() -> None:
    overlap = np.ones(5000)
    overlap[3217] = 0
    path = ET.fromstring(frame_chart("overlap", {"one": overlap}, COLOURS, {})).find("path")
    assert path is not None
    heights = re.findall(r"[ML][\d.]+ ([\d.]+)", path.attrib["d"])
    assert len(heights) <= 450
    assert max(map(float, heights)) == 112  # the lowest place of the chart


def test_frames_without_a_target_are_a_gap() -> None:
    overlap = np.array([1.0, 1.0, np.nan, 1.0])
    path = ET.fromstring(frame_chart("overlap", {"one": overlap}, COLOURS, {})).find("path")
    assert path is not None
    assert path.attrib["d"].count("M") == 2


def test_a_failure_is_marked_with_its_reason() -> None:
    chart = ET.fromstring(frame_chart("overlap", {"one": np.ones(9)}, COLOURS, {4: "one lost its target at frame 4"}))
    (mark,) = (line for line in chart.iter("line") if line.attrib["class"] == "mark")
    assert mark.findtext("title") == "one lost its target at frame 4"


def test_names_beside_dots_do_not_overlap_and_stay_within_the_chart() -> None:
    chart = ET.fromstring(accuracy_chart({"one": (5.0, 0.5), "two": (5.0, 0.5)}, COLOURS, "ms", period_ms=0.01))
    names = [text for text in chart.iter("text") if text.text in ("one 0.500", "two 0.500")]
    assert abs(float(names[0].attrib["y"]) - float(names[1].attrib["y"])) >= 13
    assert {name.attrib["text-anchor"] for name in names} == {"end"}


def test_there_is_no_chart_without_frames_or_costs() -> None:
    assert not frame_chart("overlap", {}, COLOURS, {})
    assert not accuracy_chart({"one": (0.0, 0.5)}, COLOURS, "ms")
