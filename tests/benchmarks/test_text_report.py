from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.samples import result
from eatrack_edge.benchmarks.measure.bench_result import Ratio
from eatrack_edge.benchmarks.text_report import facts, file_stem, projected, stage_table, verdict, versus_table
from eatrack_edge.machine.device_check import DeviceCheck


def test_the_table_has_every_stage_in_order_and_a_dash_for_what_is_unknown() -> None:
    rows = stage_table(result())
    assert rows[0] == ["stage, ms", "min", "p50", "p90", "p95", "p99", "max", "cov", "p75"]
    assert [row[0] for row in rows[1:]] == [
        *("decode the video", "crop", "copy in", "infer", "copy out", "decode the maps", "template update"),
        *("all but infer", "update, total", "with the video"),
    ]
    assert rows[3][1:] == ["-"] * 8
    assert rows[9][1:4] == ["10.00", "11.00", "11.70"]
    assert all(len(row) == len(rows[0]) for row in rows)


def test_other_trackers_are_listed_after_ours_with_the_spread_of_their_ratio() -> None:
    _, ours, kcf = versus_table(result())
    assert ours[:4] == ["ours: eatrack_s, onnxruntime (CPU), fp32", "11.00", "11.85", "1"]
    assert kcf == ["kcf", "11.00", "11.85", "0.50", "0.45 to 0.55", "0.48 to 0.52", "0.610"]
    assert versus_table(replace(result(), versus=[])) == []


def test_a_tracker_that_is_hundreds_of_times_faster_is_not_rounded_to_zero() -> None:
    fast = replace(result().versus[0], ratio=Ratio(0.00234, 0.002, 0.003, 0.0022, 0.0025, 12))
    assert versus_table(replace(result(), versus=[fast]))[2][3:5] == ["0.0023", "0.002 to 0.003"]


def test_a_refinement_that_is_part_of_an_update_stands_beside_the_model() -> None:
    assert dict(facts(result()))["model"] == "eatrack_s fp32, onnxruntime (CPU), 1 thread"
    refined = replace(result(), model=replace(result().model, refinement="vittrack"))
    assert dict(facts(refined))["model"] == "eatrack_s fp32, onnxruntime (CPU), 1 thread, refinement vittrack"


def test_a_failed_device_check_is_listed_under_the_measured_machine() -> None:
    found = dict(facts(replace(result(), claim=DeviceCheck("orin", False, "this is no orin"))))
    assert found["measured on"] == "ACME Notebook 14, not a Jetson Orin, 2 cores"
    assert found["--device orin"] == "this is no orin"
    assert "board" not in found


def test_the_facts_name_memory_camera_and_energy() -> None:
    found = dict(facts(result()))
    assert found["memory"] == "before load 50 MB, loaded 150 MB, peak 160 MB"
    assert found["camera of 30 fps"].endswith("replayed from the measured update latencies")
    assert found["energy"].startswith("0.050 J a frame above 4.00 W idle")


def test_an_invalid_run_lists_every_reason_first() -> None:
    lines = verdict(
        replace(result(), valid=False, invalid_reasons=["it was hot", "it was busy"], notes=["few updates"])
    )
    assert lines == [
        "INVALID, do not quote the absolute figures: it was hot",
        "INVALID, do not quote the absolute figures: it was busy",
        "note: few updates",
    ]
    assert verdict(result()) == ["valid: no check found a problem with these figures"]


def test_without_a_projection_there_is_no_projection_table() -> None:
    assert projected(result()) == ([], [])


@pytest.mark.parametrize(
    ("kind", "mode", "stem"),
    [
        ("", None, "eatrack_s--fp32--onnxruntime_cpu--some_cpu--20260102t030405"),
        ("orin-nano", "15W", "eatrack_s--fp32--onnxruntime_cpu--orin_nano--15w--20260102t030405"),
    ],
)
def test_files_are_named_for_their_conditions(kind: str, mode: str | None, stem: str) -> None:
    board = replace(result().board, kind=kind, power_mode=mode)
    assert file_stem(replace(result(), board=board)) == stem
