from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from itertools import pairwise

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


def test_trackers_that_fail_at_one_frame_are_marked_by_one_line_and_a_dot_each() -> None:
    curves = {"one": np.ones(9), "two": np.ones(9)}
    chart = ET.fromstring(frame_chart("overlap", curves, COLOURS, {4: ["one", "two"]}))
    (mark,) = (line for line in chart.iter("line") if line.attrib["class"] == "mark")
    assert mark.findtext("title") == "one and two lost the target at frame 4"
    dots = [(dot.attrib["fill"], float(dot.attrib["cx"])) for dot in chart.iter("circle")]
    assert [colour for colour, _ in dots] == list(COLOURS.values())
    assert dots[1][1] - dots[0][1] > 8  # they do not cover each other
    assert sum(x for _, x in dots) / 2 == float(mark.attrib["x1"])


def label_places(points: dict[str, tuple[float, float]]) -> dict[str, dict[str, str]]:
    chart = ET.fromstring(accuracy_chart(points, dict.fromkeys(points, "#000"), "ms"))
    return {(text.text or "").split()[0]: text.attrib for text in chart.iter("text") if text.text}


def test_names_beside_dots_do_not_overlap_and_stay_within_the_chart() -> None:
    places = label_places({"left": (1.0, 0.5), "right": (9.0, 0.5), "also_far_right": (9.0, 0.5)})
    assert abs(float(places["right"]["y"]) - float(places["also_far_right"]["y"])) >= 13
    assert [places[name]["text-anchor"] for name in ("left", "right", "also_far_right")] == ["start", "start", "end"]


def test_names_of_many_trackers_that_all_fail_are_written_above_the_axis() -> None:
    names = [f"t{number}" for number in range(6)]
    places = label_places(dict.fromkeys(names, (5.0, 0.0)))
    heights = sorted(float(places[name]["y"]) for name in names)
    assert heights[-1] <= 266  # where the axis is
    assert all(below - above >= 13 for above, below in pairwise(heights))


def test_a_logarithmic_axis_says_so() -> None:
    assert "ms, logarithmic scale" in accuracy_chart({"one": (5.0, 0.5)}, COLOURS, "ms")


def test_there_is_no_chart_without_frames_or_costs() -> None:
    assert not frame_chart("overlap", {}, COLOURS, {})
    assert not accuracy_chart({"one": (0.0, 0.5)}, COLOURS, "ms")
