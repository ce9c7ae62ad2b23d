from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from cli.conftest import Run
from eatrack_edge.benchmarks.pareto import draw_pareto, front, read_table
from eatrack_edge.core.errors import InputError

pytest_plugins = ["cli.conftest"]
TABLE = """\
tracker,family,precision,backend,median_ms,starts,success one,success two
slow,ours,fp32,openvino,40,2,0.7,0.5
quick,ours,int8,openvino,20,2,0.69,0.52
other,theirs,fp32,onnxruntime,5,2,0.6,0.6
worse,worse,fp32,onnxruntime,30,2,0.5,0.4
"""


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "table.csv"
    path.write_text(TABLE)
    return path


def test_the_front_has_the_trackers_that_no_other_one_beats_in_both(table: Path) -> None:
    rows = read_table(table)
    assert [row.tracker for row in front(rows, "one")] == ["other", "quick", "slow"]
    assert [row.tracker for row in front(rows, "two")] == ["other"]


def test_a_set_of_videos_has_a_chart_with_a_line_for_each_family_and_rings_behind_the_front(table: Path) -> None:
    root = ET.fromstring(draw_pareto(read_table(table), "other"))
    space = "{http://www.w3.org/2000/svg}"
    charts = root.findall(f"{space}svg")
    assert [chart.attrib["aria-label"] for chart in charts] == [
        "success AUC, one over median ms of an update",
        "success AUC, two over median ms of an update",
    ]
    assert [len(chart.findall(f"{space}path")) for chart in charts] == [1, 1]  # `ours` has two forms
    rings = [[dot.attrib["fill"] for dot in chart.iter(f"{space}circle")].count("#fff") for chart in charts]
    assert rings == [1, 3]
    for chart in charts:
        (mark,) = (line for line in chart.iter(f"{space}line") if line.attrib["class"] == "mark")
        assert mark.findtext(f"{space}title") == "half of the rate of other"
        labels = [text.text for text in chart.iter(f"{space}text")]
        assert any(label and label.startswith("quick 0.") for label in labels)


def test_the_command_draws_the_table_beside_it_and_prints_the_front(run: Run, table: Path) -> None:
    done = run("bench", "pareto", table, "--half-rate-of", "other")
    assert done.code == 0, done.err
    lines = [line.split() for line in done.out.splitlines()]
    assert done.out.startswith("* no other tracker is both faster and more accurate ")
    assert lines[2:6] == [
        ["other", "fp32", "onnxruntime", "5.00", "0.600", "*", "0.600", "*"],
        ["quick", "int8", "openvino", "20.00", "0.690", "*", "0.520"],
        ["worse", "fp32", "onnxruntime", "30.00", "0.500", "0.400"],
        ["slow", "fp32", "openvino", "40.00", "0.700", "*", "0.500"],
    ]
    assert table.with_suffix(".svg").read_text() == draw_pareto(read_table(table), "other")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(TABLE.replace("median_ms", "ms"), "no column `median_ms`", id="no time"),
        pytest.param(TABLE.replace("success", "auc"), "no column `success NAME`", id="no set"),
        pytest.param("", "no column `tracker`", id="empty"),
        pytest.param(TABLE.replace(",20,", ",,"), ":3: `median_ms` must be a number above 0, got ''", id="no figure"),
    ],
)
def test_a_table_that_lacks_something_is_refused(table: Path, text: str, message: str) -> None:
    table.write_text(text)
    with pytest.raises(InputError) as caught:
        read_table(table)
    assert caught.value.message.startswith(str(table))
    assert message in caught.value.message


def test_a_tracker_that_is_not_in_the_table_cannot_be_marked(table: Path) -> None:
    with pytest.raises(InputError, match="no tracker `kcf` in the table") as caught:
        draw_pareto(read_table(table), "kcf")
    assert caught.value.hint == "it has slow, quick, other, worse"
