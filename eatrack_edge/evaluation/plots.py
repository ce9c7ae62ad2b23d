"""Draws the success, precision and calibration plots with matplotlib, as PNG and SVG for documents."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from eatrack_edge.core.errors import OutputError
from eatrack_edge.core.imports import require
from eatrack_edge.core.reasons import reason_of
from eatrack_edge.evaluation.confidence_calibration import BINS, Calibration
from eatrack_edge.evaluation.curves import PRECISION, SUCCESS, Curve, CurveKind, calibration_curves, score_curves
from eatrack_edge.evaluation.evaluate import Evaluation
from eatrack_edge.reporting.colours import GRID, MARK, series_colour, series_dash

_SIZE_INCHES = (7.6, 4.6)
_PNG_DPI = 150


def draw_plots(evaluation: Evaluation, folder: Path) -> None:
    """Draw every plot of an evaluation: ``success``, ``precision``, and ``calibration`` where any tracker has it.

    Args:
        evaluation: What to draw.
        folder: Where ``success.png``, ``success.svg`` and so on go.

    Raises:
        MissingExtra: Matplotlib is not installed.
        OutputError: The folder cannot be written.
    """
    for kind in (SUCCESS, PRECISION):
        _save(_curves(evaluation, kind), folder, kind.name)
    if calibrations := calibration_curves(evaluation):
        _save(_reliability(calibrations), folder, "calibration")


def _style(place: int) -> dict[str, Any]:
    """Matplotlib's colour and dashes of the tracker at a place of the ranking, from 0."""
    dashes = series_dash(place)
    return {
        "color": series_colour(place),
        "linestyle": (0, dashes) if dashes else "-",
        "linewidth": 1.5 if dashes else 2.0,
    }


def _curves(evaluation: Evaluation, kind: CurveKind) -> Any:
    figure, axes = _figure()
    for curve in score_curves(evaluation, kind):
        axes.plot(curve.x, curve.y, label=f"{curve.title}  {curve.score:.3f}", **_style(curve.place))
    sequences = f"{evaluation.title}, {len(evaluation.sequences)} sequences, protocol {evaluation.protocol.name}"
    if kind is SUCCESS:
        _label(axes, kind.x_title, "share of frames with more overlap", f"Success: {sequences}")
        _legend(figure, "mean of the curve")
    else:
        axes.axvline(20, color=MARK, linewidth=0.8, zorder=0)
        _label(axes, kind.x_title, "share of frames within it", f"Precision: {sequences}")
        _legend(figure, "at 20 px")
    axes.set_xlim(kind.thresholds[0], kind.thresholds[-1])
    axes.set_ylim(0, 1)
    return figure


def _reliability(calibrations: list[tuple[Curve, Calibration]]) -> Any:
    figure, axes = _figure()
    axes.plot([0, 1], [0, 1], color=MARK, linewidth=0.8, zorder=0)
    along = {"rotation": 45, "rotation_mode": "anchor", "transform_rotates_text": True}
    axes.text(0.03, 0.045, "confidence = overlap", color="#777777", fontsize=8, **along)
    for curve, found in calibrations:
        label = f"{curve.title}: error {curve.score:.3f}, {_lost_label(found)}"
        style = _style(curve.place)
        axes.plot(curve.x, curve.y, label=label, **style)
        axes.scatter(curve.x, curve.y, 8 + 120 * curve.shares, color=style["color"], zorder=3, clip_on=False)
    _label(axes, f"confidence, {BINS} bins", "mean overlap", "Calibration: confidence against overlap")
    figure.legend(loc="outside lower left", fontsize=8, frameon=False)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    return figure


def _lost_label(found: Calibration) -> str:
    if np.isnan(found.lost_below):
        return "target never lost"
    share = f"precision {found.lost_precision:.2f}, recall {found.lost_recall:.2f}"
    return f"lost below {found.lost_below:.3g} ({share})"


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


def _save(figure: Any, folder: Path, name: str) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        figure.savefig(folder / f"{name}.png", dpi=_PNG_DPI)
        # Without a date and with a fixed salt for its ids, the same scores give the same file.
        with require("matplotlib", to="draw plots").rc_context({"svg.hashsalt": name}):
            figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written: {reason_of(error)}") from error
