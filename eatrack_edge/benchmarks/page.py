"""One page that holds a whole benchmark: what was measured first, what was only projected in a frame of its own."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from eatrack_edge.benchmarks.projection.charts import check_chart, projection_ranges, roofline
from eatrack_edge.benchmarks.projection.project import projection_table
from eatrack_edge.benchmarks.text_report import AROUND_INFER, STAGES
from eatrack_edge.core.io import write_whole
from eatrack_edge.reporting.charts import course, histogram, ratio_chart, stage_bars
from eatrack_edge.reporting.html import definitions, document, table

_STYLE = """
.right { background: #eef7f2; border-left: 3px solid #009e73; padding: 8px 12px; }
.projection { border: 2px dashed #cc79a7; padding: 4px 18px 18px; margin-top: 44px; }
.projection > h2 { margin-top: 14px; color: #9a4c78; } h3 { font-size: 15px; margin: 22px 0 4px; }
details summary { cursor: pointer; margin: 8px 0; } li { max-width: 52em; }
"""


def write_page(result: Mapping[str, Any], path: Path) -> None:
    """Write a benchmark's page; a part that the result lacks is left out.

    Args:
        result: The result as plain values, as in its JSON.
        path: The HTML file.

    Raises:
        OutputError: It cannot be written.
    """
    model = result.get("model") or {}
    title = f"Benchmark of {model.get('name', 'a tracker')} on {result.get('measured_on', 'an unknown machine')}"
    parts = [
        f"<h1>{escape(title)}</h1>{_subtitle(result, model)}",
        _validity(result),
        _section("Latency by stage", stage_bars(_stages(result)), "The median filled, the 95th percentile lighter."),
        _section("Spread", _histogram(result), "All measured updates; the slowest hundredth shares the last bar."),
        _section("Course of the run", course(result.get("timeline") or [])),
        _versus(result),
        _realtime(result),
        _section("Conditions", definitions(_conditions(result))),
        _projection(result),
    ]
    write_whole(path, document(title, parts, _STYLE))


def _section(name: str, content: str, meaning: str = "") -> str:
    quiet = f'<p class="quiet">{escape(meaning)}</p>' if meaning else ""
    return f"<h2>{escape(name)}</h2>{quiet}{content}" if content else ""


def _subtitle(result: Mapping[str, Any], model: Mapping[str, Any]) -> str:
    total = _total(result)
    figures = (
        f"<b>{total['p50']:.2f} ms</b> an update in the median, {total['p95']:.2f} at p95, measured. " if total else ""
    )
    known = [str(model[key]) for key in ("precision", "backend") if model.get(key)]
    when = str(result.get("measured_at", ""))[:16].replace("T", " ")
    return f'<p class="quiet">{figures}{escape(", ".join(known))}{f", {when} UTC" if when else ""}.</p>'


def _total(result: Mapping[str, Any]) -> dict[str, Any] | None:
    return (result.get("latency_ms") or {}).get("total")


def _validity(result: Mapping[str, Any]) -> str:
    reasons = result.get("invalid_reasons") or []
    notes = "".join(f"<li>{escape(note)}</li>" for note in result.get("notes") or [])
    notes = f'<ul class="quiet">{notes}</ul>' if notes else ""
    if result.get("valid") is False or reasons:
        items = "".join(f"<li>{escape(reason)}</li>" for reason in reasons)
        return f'<div class="wrong"><b>Invalid: do not quote the absolute figures.</b><ul>{items}</ul></div>{notes}'
    if result.get("valid"):
        return f'<div class="right">Valid: nothing was found against these figures.</div>{notes}'
    return notes


def _stages(result: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    measured = result.get("latency_ms") or {}
    return {name: measured[stage] for stage, name in STAGES.items() if stage in measured and stage != AROUND_INFER}


def _histogram(result: Mapping[str, Any]) -> str:
    bins, total = result.get("histogram_ms"), _total(result)
    if not bins or not total:
        return ""
    return histogram(bins["edges"], bins["counts"], {name: total[name] for name in ("p50", "p95", "p99")})


def _versus(result: Mapping[str, Any]) -> str:
    others = result.get("versus") or []
    chart = ratio_chart([(other["label"], other["ratio"]) for other in others])
    rows = [["", "median ms", "p95 ms", "times ours", "half of blocks", "overlap"], *_own_row(result)]
    for other in others:
        total, ratio = other["latency_ms"]["total"], other["ratio"]
        overlap = "" if other.get("mean_overlap") is None else f"{other['mean_overlap']:.3f}"
        blocks = f"{ratio['q25']:.2f} to {ratio['q75']:.2f}"
        figures = [f"{total['p50']:.2f}", f"{total['p95']:.2f}", f"{ratio['median']:.2f}", blocks, overlap]
        rows.append([other["label"], *figures])
    meaning = (
        "Same frames, block by block in turn, so that drift cancels. Right of the dashed line is slower than ours."
    )
    return _section("Beside others", chart + table(rows) if others else "", meaning)


def _own_row(result: Mapping[str, Any]) -> list[list[str]]:
    total, overlap = _total(result), (result.get("accuracy") or {}).get("mean_overlap")
    figures = [f"{total['p50']:.2f}", f"{total['p95']:.2f}"] if total else ["", ""]
    model = result.get("model") or {}
    name = ", ".join(["ours", *(str(model[key]) for key in ("backend", "precision") if model.get(key))])
    return [[name, *figures, "1", "", "" if overlap is None else f"{overlap:.3f}"]]


def _realtime(result: Mapping[str, Any]) -> str:
    camera = result.get("realtime")
    if not camera:
        return ""
    age = camera["frame_age_ms"]
    text = (
        f"A camera of {camera['camera_fps']:g} fps: a box is {age['p50']:.1f} ms old in the median and "
        f"{age['p95']:.1f} at p95; {camera['missed_share']:.0%} of the frames are missed ({camera.get('method', '')})."
    )
    energy = result.get("energy")
    if energy:
        text += f" {energy['j_per_frame']:.3f} J a frame above {energy['idle_w']:.2f} W idle."
    return f"<h2>Live</h2><p>{escape(text)}</p>"


def _conditions(result: Mapping[str, Any]) -> dict[str, str]:
    """Everything under which it was measured, flat, without what is absent."""
    rows: dict[str, str] = {}
    if result.get("command"):
        rows["command"] = " ".join(result["command"])
    claim = result.get("claim") or {}
    if claim.get("note"):
        rows[f"--device {claim.get('asked', '')}"] = claim["note"]
    for part in ("env", "board", "model", "footage", "method", "thermal"):
        for key, value in (result.get(part) or {}).items():
            if value not in (None, "", [], {}):
                rows[f"{part}: {key.replace('_', ' ')}"] = _plain(value)
    return rows


def _plain(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_plain(one)}" for key, one in value.items())
    if isinstance(value, list):
        return ", ".join(_plain(one) for one in value)
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _projection(result: Mapping[str, Any]) -> str:
    figures = result.get("projection")
    if not figures:
        return ""
    infer = (result.get("latency_ms") or {}).get("infer")
    here = (str(result.get("measured_on", "this machine")), infer["p50"]) if infer else None
    check = figures["check"]
    verdicts = "".join(f"<li>{escape(verdict)}.</li>" for verdict in check["verdicts"])
    limits = "".join(f"<li>{escape(limit)}</li>" for limit in figures["limits"])
    return (
        '<div class="projection"><h2>Projection, not a measurement</h2>'
        "<p>Nothing in this frame was measured on the boards that it names. It is calculated from the shapes in "
        f"<b>{escape(figures['graph'])}</b> as an engine in {escape(figures['precision'])}. The circle is the "
        "projected time of one network call, the dashed outline reaches from the floor that the nominal rates allow to "
        "the time if the projection is as wrong as its check was at worst. A star marks facts that no "
        "source at hand confirms.</p>"
        f"{projection_ranges(figures['targets'])}"
        f"<details><summary>The same as a table</summary>{table(projection_table(figures))}</details>"
        f"<h3>How wrong it may be</h3><ul>{verdicts}</ul>{check_chart(check['series'])}"
        f"<h3>Roofline</h3><p class='quiet'>Ticks on the axis are the graph's layers, as tall as their share of the "
        f"arithmetic.</p>{roofline(figures, here)}"
        f"<h3>Assumptions</h3>{definitions(_assumptions(figures))}<ul>{limits}</ul></div>"
    )


def _assumptions(figures: Mapping[str, Any]) -> dict[str, str]:
    rows = {}
    for name, one in figures["assumptions"].items():
        fitted = "; fitted" if one["is_fitted"] else ""
        rows[name.replace("_", " ")] = f"{one['value']:.3g} {one['unit']}: {one['reason']}{fitted}"
    return rows
