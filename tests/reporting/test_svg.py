from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eatrack_edge.reporting.svg import WIDTH, Axis, Chart, Point, RowChart, Svg, line_chart, stack, ticks


@pytest.mark.parametrize(
    ("low", "high", "most", "expected"),
    [
        pytest.param(0, 0.9, 4, [0, 0.25, 0.5, 0.75], id="quarters"),
        pytest.param(0, 468, 10, [0, 50, 100, 150, 200, 250, 300, 350, 400, 450], id="frames of a sequence"),
        pytest.param(39, 46, 4, [40, 42, 44, 46], id="not from zero"),
        pytest.param(0, 1, 3, [0, 0.5, 1], id="both ends included"),
        pytest.param(7, 7, 4, [7], id="no range"),
    ],
)
def test_ticks_are_round_and_within_the_bounds(low: float, high: float, most: int, expected: list[float]) -> None:
    assert ticks(low, high, most) == expected


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        pytest.param(0.3, 7, [0.5, 1, 2, 5], id="one, two, five"),
        pytest.param(1, 1e5, [1, 10, 100, 1e3, 1e4, 1e5], id="powers alone where there would be too many"),
    ],
)
def test_a_logarithmic_axis_has_logarithmic_ticks(low: float, high: float, expected: list[float]) -> None:
    assert ticks(low, high, is_log=True) == expected


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.integers(3, 12))
def test_there_are_never_too_many_ticks_and_at_least_one(low: float, span: float, most: int) -> None:
    found = ticks(low, low + span, most)
    assert 1 <= len(found) <= most
    assert all(low - 1e-6 * span <= tick <= low + span * (1 + 1e-6) + 1e-6 for tick in found)


def test_an_axis_maps_its_ends_and_its_middle() -> None:
    assert [Axis(10, 20, 100, 300).at(value) for value in (10, 15, 20)] == [100, 200, 300]
    assert Axis(1, 100, 0, 200, is_log=True).at(10) == pytest.approx(100)
    assert Axis(0, 1, 90, 10).at(1) == 10  # upwards
    assert Axis(5, 5, 100, 300).at(5) == 100  # one value


def test_texts_are_escaped_and_the_chart_is_well_formed() -> None:
    chart = Chart('a "label" & more', 100)
    chart.text(0, 10, "kcf <1>")
    chart.bar((0, 0), (10, 10), "#fff", "note & <b>", opacity=0.35)
    chart.curve([Point(0, 0), Point(1, 1), None, Point(3, 3)], "#000")
    root = ET.fromstring(chart.svg())
    assert root.attrib["aria-label"] == 'a "label" & more'
    assert root.findtext("text") == "kcf <1>"
    assert root.findtext("rect/title") == "note & <b>"
    assert root.find("path").attrib["d"] == "M0.0 0.0L1.0 1.0M3.0 3.0"  # type: ignore[union-attr]


def test_a_bar_of_nothing_can_still_be_seen() -> None:
    chart = Chart("c", 10)
    chart.bar((0, 0), (0, 4), "#000")
    assert ET.fromstring(chart.svg())[0].attrib["width"] == "0.5"


def test_every_row_has_its_name_beside_the_axis_and_its_figure_at_the_end() -> None:
    chart = RowChart("rows", ["one", "two"], Axis(0, 10, 200, WIDTH - 90), unit="ms")
    chart.figure(1, "x2")
    texts = {text.text: text.attrib for text in ET.fromstring(chart.svg()).iter("text")}
    assert (texts["one"]["x"], texts["one"]["text-anchor"]) == ("190", "end")
    assert texts["x2"]["y"] == texts["two"]["y"]
    assert texts["ms"]["x"] == str(WIDTH)


def test_an_empty_chart_is_false() -> None:
    assert not Svg()


def test_a_line_chart_names_its_curve_and_both_axes() -> None:
    root = ET.fromstring(line_chart("loss", [(0, 3.0), (100, 1.0)], "samples", 0, 3).svg())
    texts = [text.text for text in root.iter("text")]
    assert root.attrib["aria-label"] == "loss over samples"
    assert {"loss", "samples", "0", "3", "100"} <= set(texts)


def test_charts_stacked_in_a_file_do_not_overlap_and_bring_their_style() -> None:
    charts = [line_chart(name, [(0, 0.0), (1, 1.0)], "samples", 0, 1) for name in ("one", "two")]
    root = ET.fromstring(stack("run 7", charts))
    space = "{http://www.w3.org/2000/svg}"
    first, second = root.findall(f"{space}svg")
    assert float(second.attrib["y"]) == float(first.attrib["y"]) + charts[0].height
    assert "stroke" in (root.findtext(f"{space}style") or "")
    assert root.findtext(f"{space}text") == "run 7"
