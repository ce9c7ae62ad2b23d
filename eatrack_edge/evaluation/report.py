"""Writes the report of an evaluation: ``summary.json``, the plots and the HTML page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from eatrack_edge.core.errors import MissingExtra
from eatrack_edge.core.io import write_whole
from eatrack_edge.evaluation.evaluate import Evaluation
from eatrack_edge.evaluation.page import write_page
from eatrack_edge.evaluation.plots import draw_plots
from eatrack_edge.evaluation.score_tables import evaluation_summary


def write_report(
    evaluation: Evaluation, output: Path, conditions: Mapping[str, Any], *, failure_frames: int
) -> list[str]:
    """Write ``summary.json``, ``plots/*.png`` and ``*.svg``, and ``report.html``.

    Args:
        evaluation: What to report.
        output: Folder to write into.
        conditions: Where and with what it was made.
        failure_frames: Frames to show at most, see ``write_page``; 0 for frames that must not be passed on.

    Returns:
        What was left out because a package is missing, and how to install it.

    Raises:
        OutputError: Something cannot be written.
    """
    write_json(output / "summary.json", evaluation_summary(evaluation, conditions))
    notes: list[str] = []
    try:
        draw_plots(evaluation, output / "plots")
    except MissingExtra as error:
        notes.append(f"there are no plots for documents: {error.message}; {error.hint}")
    try:
        write_page(evaluation, conditions, output / "report.html", failure_frames)
    except MissingExtra as error:
        notes.append(f"there is no page: {error.message}; {error.hint}")
    return notes


def write_json(path: Path, scores: Mapping[str, Any]) -> None:
    """Write scores as JSON.

    Raises:
        OutputError: The file cannot be written.
    """
    write_whole(path, json.dumps(scores, indent=1, allow_nan=False) + "\n")
