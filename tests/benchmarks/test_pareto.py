from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from cli.conftest import Run
from eatrack_edge.benchmarks.pareto import draw_pareto, front, read_table
from eatrack_edge.core.errors import InputError

pytest_plugins = ["cli.conftest"]
TABLE = """\
tracker,family,precision,backend,relative_time,starts,success one,success two
slow,ours,fp32,openvino,8,2,0.7,0.5
quick,ours,int8,openvino,4,2,0.69,0.52
other,theirs,fp32,onnxruntime,1,2,0.6,0.6
worse,worse,fp32,onnxruntime,6,2,0.5,0.4
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
    root = ET.fromstring(draw_pareto(read_table(table)))
    space = "{http://www.w3.org/2000/svg}"
    charts = root.findall(f"{space}svg")
    assert [chart.attrib["aria-label"] for chart in charts] == [
        "success AUC, one over time of an update, other is 1",
        "success AUC, two over time of an update, other is 1",
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
    done = run("bench", "pareto", table)
    assert done.code == 0, done.err
    lines = [line.split() for line in done.out.splitlines()]
    assert done.out.startswith("* no other tracker is both faster and more accurate ")
    assert lines[2:6] == [
        ["other", "fp32", "onnxruntime", "1.00", "0.600", "*", "0.600", "*"],
        ["quick", "int8", "openvino", "4.00", "0.690", "*", "0.520"],
        ["worse", "fp32", "onnxruntime", "6.00", "0.500", "0.400"],
        ["slow", "fp32", "openvino", "8.00", "0.700", "*", "0.500"],
    ]
    assert table.with_suffix(".svg").read_text() == draw_pareto(read_table(table))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(TABLE.replace("relative_time", "ms"), "no column `relative_time`", id="no time"),
        pytest.param(TABLE.replace("success", "auc"), "no column `success NAME`", id="no set"),
        pytest.param("", "no column `tracker`", id="empty"),
        pytest.param(
            TABLE.replace(",4,", ",,"), ":3: `relative_time` must be a number above 0, got ''", id="no figure"
        ),
    ],
)
def test_a_table_that_lacks_something_is_refused(table: Path, text: str, message: str) -> None:
    table.write_text(text)
    with pytest.raises(InputError) as caught:
        read_table(table)
    assert caught.value.message.startswith(str(table))
    assert message in caught.value.message


def test_times_that_are_relative_to_no_tracker_are_refused(table: Path) -> None:
    table.write_text(TABLE.replace(",1,2,", ",2,2,"))
    with pytest.raises(InputError, match="no tracker of the table has a `relative_time` of 1"):
        draw_pareto(read_table(table))


RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"
(SHIPPED,) = RESULTS.glob("accuracy_and_speed--*.csv")
LABELS = {
    "eatrack_s FP32": "eatrack_s@openvino",
    "eatrack_s INT8": "eatrack_s_int8@openvino:int8",
    "eatrack_deit FP32": "eatrack_deit@openvino",
    "eatrack_deit INT8": "eatrack_deit_int8@openvino:int8",
    "NanoTrackV3": "nanotrack_v3",
    "NanoTrackV2": "nanotrack_v2",
    "VitTrack": "vittrack",
}


def test_the_plot_of_the_documentation_is_the_one_of_its_table() -> None:
    picture = RESULTS.parents[1] / "docs" / "images" / "pareto.svg"
    assert picture.read_text(encoding="utf-8") == draw_pareto(read_table(SHIPPED))


def test_the_times_of_the_table_are_those_of_the_interleaved_run() -> None:
    (path,) = RESULTS.glob("bench--eatrack_deit_int8_and_baselines--*.json")
    ratios = {each["label"]: each["ratio"]["median"] for each in json.loads(path.read_text())["versus"]}
    for row in read_table(SHIPPED):
        expected = ratios[LABELS[row.tracker]] / ratios["nanotrack_v3"]
        assert row.relative_time == pytest.approx(expected, abs=5e-4), row.tracker


def test_the_scores_of_the_table_are_the_means_over_four_starts() -> None:
    (path,) = RESULTS.glob("uav_dev_and_uav_dev2--eatrack_and_baselines--*--4_starts--*.json")
    found: dict[tuple[str, str], list[float]] = {}
    for run in json.loads(path.read_text())["runs"]:
        if run["frame_stride"] == 1:
            found.setdefault((run["tracker"], run["set"]), []).append(run["success_auc"])
    for row in read_table(SHIPPED):
        for videos, success in row.success.items():
            scores = found[row.tracker, videos]
            assert len(scores) == 4
            assert success == pytest.approx(sum(scores) / 4, abs=1e-4), row.tracker
