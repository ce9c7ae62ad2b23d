"""Writes the HTML page of a benchmark: measurements first, then the projection in a frame of its own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from eatrack_edge.benchmarks.charts import histogram, ratio_chart, stage_bars, timelines
from eatrack_edge.benchmarks.projection.charts import check_chart, projection_ranges, roofline
from eatrack_edge.benchmarks.projection.project import projection_table
from eatrack_edge.benchmarks.text_report import AROUND_INFER, STAGES
from eatrack_edge.reporting.html import write_html
from eatrack_edge.reporting.svg import Svg

# What the parts of a result are called on the page.
_CONDITIONS = {
    "env": "environment",
    "board": "board",
    "model": "model",
    "footage": "frames",
    "method": "method",
    "thermal": "thermal",
}


def write_page(result: Mapping[str, Any], path: Path) -> None:
    """Write a benchmark's page; a part that the result lacks is left out.

    Args:
        result: The result as plain values, as in its JSON.
        path: The HTML file.

    Raises:
        MissingExtra: Jinja2 is not installed.
        OutputError: The file cannot be written.
    """
    write_html(path, "benchmark", _page_values(result))


def _page_values(result: Mapping[str, Any]) -> dict[str, Any]:
    model, reasons = result.get("model") or {}, result.get("invalid_reasons") or []
    others = result.get("versus") or []
    return {
        "title": f"Benchmark of {model.get('name', 'a tracker')} on {result.get('measured_on', 'an unknown machine')}",
        "subtitle": _subtitle(result, model),
        "total": _total(result),
        "is_valid": bool(result.get("valid")),
        "invalid_reasons": reasons if reasons or result.get("valid") is False else None,
        "notes": result.get("notes") or [],
        "stages": stage_bars(_stages(result)),
        "histogram": _histogram(result),
        "timelines": timelines(result.get("timeline") or []),
        "comparison": _comparison_table(result, others) if others else None,
        "ratios": ratio_chart([(other["label"], other["ratio"]) for other in others]),
        "live": _live(result),
        "conditions": _conditions(result),
        "projection": _projection(result),
    }


def _subtitle(result: Mapping[str, Any], model: Mapping[str, Any]) -> str:
    when = str(result.get("measured_at", ""))[:16].replace("T", " ")
    known = [str(model[key]) for key in ("precision", "backend") if model.get(key)]
    return ", ".join([*known, *([f"{when} UTC"] if when else [])])


def _total(result: Mapping[str, Any]) -> dict[str, Any] | None:
    return (result.get("latency_ms") or {}).get("total")


def _stages(result: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    measured = result.get("latency_ms") or {}
    return {name: measured[stage] for stage, name in STAGES.items() if stage in measured and stage != AROUND_INFER}


def _histogram(result: Mapping[str, Any]) -> Svg:
    bins, total = result.get("histogram_ms"), _total(result)
    if not bins or not total:
        return Svg()
    return histogram(bins["edges"], bins["counts"], {name: total[name] for name in ("p50", "p95", "p99")})


def _comparison_table(result: Mapping[str, Any], others: list[Mapping[str, Any]]) -> list[list[str]]:
    """Rows of text, the first of headings, the second our own."""
    rows = [["", "median ms", "p95 ms", "times ours", "half of blocks", "overlap"], _own_row(result)]
    for other in others:
        total, ratio = other["latency_ms"]["total"], other["ratio"]
        blocks = f"{ratio['q25']:.2f} to {ratio['q75']:.2f}"
        figures = [f"{total['p50']:.2f}", f"{total['p95']:.2f}", f"{ratio['median']:.2f}", blocks]
        rows.append([other["label"], *figures, _overlap(other.get("mean_overlap"))])
    return rows


def _own_row(result: Mapping[str, Any]) -> list[str]:
    total, overlap = _total(result), (result.get("accuracy") or {}).get("mean_overlap")
    figures = [f"{total['p50']:.2f}", f"{total['p95']:.2f}"] if total else ["", ""]
    model = result.get("model") or {}
    name = ", ".join(["ours", *(str(model[key]) for key in ("backend", "precision") if model.get(key))])
    return [name, *figures, "1", "", _overlap(overlap)]


def _overlap(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _live(result: Mapping[str, Any]) -> str:
    camera, energy = result.get("realtime"), result.get("energy")
    if not camera:
        return ""
    age = camera["frame_age_ms"]
    text = (
        f"A camera of {camera['camera_fps']:g} fps: a box is {age['p50']:.1f} ms old in the median and "
        f"{age['p95']:.1f} at p95; {camera['missed_share']:.0%} of the frames are missed ({camera.get('method', '')})."
    )
    if energy:
        text += f" {energy['j_per_frame']:.3f} J a frame above {energy['idle_w']:.2f} W idle."
    return text


def _conditions(result: Mapping[str, Any]) -> dict[str, str]:
    """Conditions of the measurement by name, without those that are unknown."""
    rows: dict[str, str] = {}
    if result.get("command"):
        rows["command"] = " ".join(result["command"])
    device_check = result.get("claim") or {}
    if device_check.get("note"):
        rows[f"--device {device_check.get('asked', '')}"] = device_check["note"]
    for part, name in _CONDITIONS.items():
        for key, value in (result.get(part) or {}).items():
            if value not in (None, "", [], {}):
                rows[f"{name}: {key.replace('_', ' ')}"] = _plain(value)
    return rows


def _plain(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_plain(one)}" for key, one in value.items())
    if isinstance(value, list):
        return ", ".join("unknown" if one is None else _plain(one) for one in value)
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _projection(result: Mapping[str, Any]) -> dict[str, Any] | None:
    figures = result.get("projection")
    if not figures:
        return None
    infer = (result.get("latency_ms") or {}).get("infer")
    here = (str(result.get("measured_on", "this machine")), infer["p50"]) if infer else None
    check = figures["check"]
    return {
        "graph": figures["graph"],
        "precision": figures["precision"],
        "ranges": projection_ranges(figures["targets"]),
        "table": projection_table(figures),
        "verdicts": [f"{verdict}." for verdict in check["verdicts"]],
        "check": check_chart(check["series"]),
        "roofline": roofline(figures, here),
        "assumptions": _assumptions(figures),
        "limits": figures["limits"],
    }


def _assumptions(figures: Mapping[str, Any]) -> dict[str, str]:
    rows = {}
    for name, one in figures["assumptions"].items():
        fitted = "; fitted" if one["is_fitted"] else ""
        rows[name.replace("_", " ")] = f"{one['value']:.3g} {one['unit']}: {one['reason']}{fitted}"
    return rows
