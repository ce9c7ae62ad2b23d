"""Draws the success, precision and calibration plots with matplotlib, as PNG for documents and SVG for pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eatrack_edge.core.errors import OutputError
from eatrack_edge.core.imports import require
from eatrack_edge.evaluation.confidence_calibration import BINS, Calibration
from eatrack_edge.evaluation.evaluate import Evaluation
from eatrack_edge.evaluation.metrics import ERROR_THRESHOLDS_PX, OVERLAP_THRESHOLDS
from eatrack_edge.evaluation.score_tables import ranking, tracker_calibration
from eatrack_edge.reporting.colours import GRID, MARK, series_colour, series_dash

_SIZE_INCHES = (7.6, 4.6)
_PNG_DPI = 150


def draw_plots(evaluation: Evaluation, folder: Path) -> dict[str, Path]:
    """Draw every plot of an evaluation.

    Args:
        evaluation: What to draw.
        folder: Where ``success.png``, ``success.svg`` and so on go.

    Returns:
        The SVG of each plot by its name: ``success``, ``precision`` and ``calibration`` where any tracker has it.

    Raises:
        MissingExtra: Matplotlib is not installed.
        OutputError: The folder cannot be written.
    """
    figures = {"success": _curves(evaluation, "success"), "precision": _curves(evaluation, "precision")}
    calibrations = {title: tracker_calibration(evaluation.trackers[title]) for title, _ in ranking(evaluation)}
    known = {title: found for title, found in calibrations.items() if found}
    if known:
        figures["calibration"] = _reliability(known, _styles(evaluation))
    return {name: _save(figure, folder, name) for name, figure in figures.items()}


def _styles(evaluation: Evaluation) -> dict[str, dict[str, Any]]:
    """One line style per tracker, the same in every plot; the best tracker first."""
    return {title: _style(place) for place, (title, _) in enumerate(ranking(evaluation))}


def _style(place: int) -> dict[str, Any]:
    """Matplotlib's colour and dashes of the tracker at a place of the ranking, from 0."""
    dashes = series_dash(place)
    return {
        "color": series_colour(place),
        "linestyle": (0, dashes) if dashes else "-",
        "linewidth": 1.5 if dashes else 2.0,
    }


def _curves(evaluation: Evaluation, kind: str) -> Any:
    figure, axes = _figure()
    thresholds = OVERLAP_THRESHOLDS if kind == "success" else ERROR_THRESHOLDS_PX
    styles = _styles(evaluation)
    column = "success_auc" if kind == "success" else "precision_20px"
    for title, score in sorted(ranking(evaluation), key=lambda row: -getattr(row[1], column)):
        scores = evaluation.trackers[title].scores.values()
        curve = np.mean([getattr(one, kind) for one in scores], axis=0)
        axes.plot(thresholds, curve, label=f"{title}  {getattr(score, column):.3f}", **styles[title])
    sequences = f"{evaluation.title}, {len(evaluation.sequences)} sequences, protocol {evaluation.protocol.name}"
    if kind == "success":
        _label(axes, "overlap threshold", "share of frames with more overlap", f"Success: {sequences}")
        _legend(figure, "mean of the curve")
    else:
        axes.axvline(20, color=MARK, linewidth=0.8, zorder=0)
        _label(axes, "centre error, px", "share of frames within it", f"Precision: {sequences}")
        _legend(figure, "at 20 px")
    axes.set_xlim(thresholds[0], thresholds[-1])
    axes.set_ylim(0, 1)
    return figure


def _reliability(calibrations: dict[str, Calibration], styles: dict[str, dict[str, Any]]) -> Any:
    figure, axes = _figure()
    axes.plot([0, 1], [0, 1], color=MARK, linewidth=0.8, zorder=0)
    along = {"rotation": 45, "rotation_mode": "anchor", "transform_rotates_text": True}
    axes.text(0.03, 0.045, "confidence = overlap", color="#777777", fontsize=8, **along)
    for title, found in calibrations.items():
        # A bin with few frames is noise: its marker is small.
        filled = found.frames > 0
        share = found.frames[filled] / max(1, int(found.frames.sum()))
        label = f"{title}: error {found.expected_error:.3f}, {_lost_label(found)}"
        axes.plot(found.confidence[filled], found.overlap[filled], label=label, **styles.get(title, _style(0)))
        colour = styles.get(title, _style(0))["color"]
        areas = _marker_areas(share)
        axes.scatter(found.confidence[filled], found.overlap[filled], areas, color=colour, zorder=3, clip_on=False)
    _label(axes, f"confidence, {BINS} bins", "mean overlap", "Calibration: confidence against overlap")
    if calibrations:
        figure.legend(loc="outside lower left", fontsize=8, frameon=False)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    return figure


def _lost_label(found: Calibration) -> str:
    if np.isnan(found.lost_below):
        return "target never lost"
    share = f"precision {found.lost_precision:.2f}, recall {found.lost_recall:.2f}"
    return f"lost below {found.lost_below:.3g} ({share})"


def _marker_areas(share: NDArray[np.float64]) -> NDArray[np.float64]:
    return 8 + 120 * share


def _figure() -> tuple[Any, Any]:
    # Never pyplot: it keeps global state and picks a window system.
    figure = require("matplotlib.figure", to="draw plots").Figure(figsize=_SIZE_INCHES, layout="constrained")
    axes = figure.subplots()
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return figure, axes


def _legend(figure: Any, title: str) -> None:
    if not figure.axes[0].get_legend_handles_labels()[0]:
        return  # every sequence failed: there is no curve to name
    # Outside the axes: a curve may run through any corner.
    figure.legend(title=title, loc="outside right upper", fontsize=9, frameon=False, alignment="left")


def _label(axes: Any, x: str, y: str, title: str) -> None:
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.set_title(title, fontsize=11, loc="left")


def _save(figure: Any, folder: Path, name: str) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        figure.savefig(folder / f"{name}.png", dpi=_PNG_DPI)
        # Without a date and with a fixed salt for its ids, the same scores give the same file.
        with require("matplotlib", to="draw plots").rc_context({"svg.hashsalt": name}):
            figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written: {error.strerror or error}") from error
    return folder / f"{name}.svg"
