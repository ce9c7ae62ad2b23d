from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from eatrack_edge.benchmarks.page import write_page
from eatrack_edge.benchmarks.projection.project import LABEL, check_figures
from eatrack_edge.benchmarks.projection.published_speeds import check_against_published


def spread(p50: float) -> dict[str, Any]:
    return {"p50": p50, "p95": 1.2 * p50, "p99": 1.4 * p50, "max": 2 * p50, "min": p50 / 2, "mean": p50}


def projection() -> dict[str, Any]:
    row = {
        "label": LABEL,
        "device": "Jetson Orin Nano 8GB",
        "mode": "15W",
        "fp16_tflops": 10.2,
        "int8_tops": 20.4,
        "bandwidth_gb_s": 68.0,
        "unverified": ["memory_mhz"],
        "precision": "fp16",
        "latency_ms": 2.5,
        "floor_ms": 0.9,
        "slow_ms": 7.5,
        "launch_ms": 0.3,
        "layers": 1,
        "compute_bound_layers": 1,
        "memory_bound_layers": 0,
    }
    return {
        "label": LABEL,
        "graph": "some.track.onnx",
        "precision": "fp16",
        "targets": [row],
        "layers": [{"name": "one", "kind": "matmul", "flops": 10**9, "bytes": 10**7}],
        "assumptions": {"launch_us": {"value": 5, "unit": "us", "reason": "a guess", "is_fitted": False}},
        "limits": ["One network call."],
        "check": check_figures(check_against_published()),
    }


def result(**more: Any) -> dict[str, Any]:
    return {
        "measured_on": "ACME Notebook 14",
        "measured_at": "2026-01-02T03:04:05+00:00",
        "command": ["eatrack-edge", "bench"],
        "model": {"name": "eatrack_s", "precision": "fp32", "backend": "onnxruntime (CPU)"},
        "latency_ms": {"crop": spread(0.4), "infer": spread(9.0), "total": spread(10.0)},
        "histogram_ms": {"edges": [8.0, 10.0, 12.0, 14.0], "counts": [3.0, 5.0, 1.0]},
        "timeline": [{"t_s": float(t), "p50": 10.0 + t, "temperature_c": 40.0 + t, "power_w": None} for t in range(5)],
        "versus": [
            {
                "label": "kcf <1>",
                "latency_ms": {"total": spread(5.0)},
                "ratio": {"median": 0.5, "q25": 0.45, "q75": 0.6},
                "mean_overlap": 0.6,
            }
        ],
        "realtime": {"camera_fps": 30.0, "frame_age_ms": spread(12.0), "missed_share": 0.25},
        "valid": True,
        **more,
    }


def page(tmp_path: Path, figures: dict[str, Any]) -> str:
    write_page(figures, tmp_path / "page.html")
    return (tmp_path / "page.html").read_text(encoding="utf-8")


def test_every_part_that_was_measured_is_shown(tmp_path: Path) -> None:
    text = page(tmp_path, result())
    for part in ("Latency by stage", "Distribution", "Timeline", "Comparison", "Live camera", "Conditions"):
        assert f"<h2>{part}</h2>" in text
    assert "10.00 ms</b> an update in the median" in text
    assert "25% of the frames are missed" in text
    assert 'aria-label="hottest, C over time, s"' in text
    assert 'aria-label="power, W over time, s"' not in text  # no rail was read


def test_the_page_is_self_contained(tmp_path: Path) -> None:
    text = page(tmp_path, result(projection=projection()))
    assert not re.search(r"<script|<link|<img|src=|url\(|https?://", text)


def test_names_are_escaped_and_every_chart_is_well_formed(tmp_path: Path) -> None:
    text = page(tmp_path, result(projection=projection()))
    assert "kcf <1>" not in text
    charts = re.findall(r"<svg.*?</svg>", text, re.DOTALL)
    assert len(charts) == 8
    for chart in charts:
        ET.fromstring(chart)
        assert not re.search(r'["M L]nan', chart)


def test_a_projection_is_in_a_frame_of_its_own_after_all_measurements(tmp_path: Path) -> None:
    text = page(tmp_path, result(projection=projection()))
    before, frame = text.split('<div class="projection">')
    assert "Projection, not a measurement" in frame
    assert "Jetson Orin Nano" not in before
    assert "for trackers this projection is untested" in frame
    assert "15W *" in frame  # an unconfirmed fact stays marked
    assert "a guess" in frame


def test_no_projection_is_shown_where_there_is_none(tmp_path: Path) -> None:
    assert '<div class="projection">' not in page(tmp_path, result(projection=None))


def test_an_invalid_run_is_marked_before_the_first_chart(tmp_path: Path) -> None:
    text = page(tmp_path, result(valid=False, invalid_reasons=["clocks floated"]))
    assert "do not quote the absolute figures" in text
    assert text.index("clocks floated") < text.index("<svg")


@pytest.mark.parametrize("absent", ["latency_ms", "histogram_ms", "timeline", "versus", "realtime", "model", "command"])
def test_a_part_that_a_result_lacks_is_left_out(tmp_path: Path, absent: str) -> None:
    figures = result(projection=projection())
    del figures[absent]
    assert page(tmp_path, figures).endswith("</body></html>\n")


def test_the_comparison_table_begins_with_our_tracker(tmp_path: Path) -> None:
    text = page(tmp_path, result(accuracy={"mean_overlap": 0.8}))
    rows = re.findall(r"<td>(.*?)</td>", text[text.index("<h2>Comparison</h2>") :])
    assert rows[:6] == ["ours, onnxruntime (CPU), fp32", "10.00", "12.00", "1", "", "0.800"]
    assert rows[6:9] == ["kcf &lt;1&gt;", "5.00", "6.00"]


def test_a_tracker_that_is_hundreds_of_times_faster_is_not_rounded_to_zero(tmp_path: Path) -> None:
    mosse = result()["versus"][0] | {"label": "mosse", "ratio": {"median": 0.00312, "q25": 0.0025, "q75": 0.004}}
    text = page(tmp_path, result(versus=[mosse]))
    assert "<td>0.0031</td><td>0.0025 to 0.004</td>" in text
    assert ">x0.0031</text>" in text
