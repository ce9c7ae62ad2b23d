"""Prints the results of an evaluation: scores, what was left out, and where the page is."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eatrack_edge.cli.console import print_note, print_table
from eatrack_edge.core.errors import InputError

if TYPE_CHECKING:
    from eatrack_edge.evaluation.evaluate import Evaluation, Plan


def report(
    evaluation: Evaluation, plan: Plan, conditions: dict[str, Any], failure_frames: int, json: Path | None
) -> None:
    """Write the report of an evaluation and print its tables.

    Args:
        evaluation: What to report.
        plan: What was evaluated.
        conditions: Where and with what.
        failure_frames: Frames to show at most, one of a sequence.
        json: File for the scores; ``None``: none.

    Raises:
        InputError: A sequence was left out of the scores; the report of the others is written all the same.
        OutputError: Something cannot be written.
    """
    from eatrack_edge.evaluation.report import write_json, write_report
    from eatrack_edge.evaluation.score_tables import (
        attribute_table,
        calibration_table,
        evaluation_summary,
        overall_table,
    )
    from eatrack_edge.machine.conditions import run_conditions

    skipped = {title: result.skipped for title, result in evaluation.trackers.items()}
    if not any(result.tracks for result in evaluation.trackers.values()):
        report_skipped(skipped)  # and nothing else: an empty report says less
    conditions = run_conditions(**conditions)
    notes = write_report(evaluation, plan.output, conditions, failure_frames=failure_frames)
    if json:
        write_json(json, evaluation_summary(evaluation, conditions))
    print(f"protocol {plan.protocol.name}: {plan.protocol.toolkit}\n")
    print_table(overall_table(evaluation))
    if evaluation.attributes:
        print("\nsuccess AUC by attribute")
        print_table(attribute_table(evaluation))
    if len(calibration_table(evaluation)) > 1:
        print("\nconfidence")
        print_table(calibration_table(evaluation))
    _print_long_term(evaluation)
    page = plan.output / "report.html"
    if page.is_file():
        print(f"\nreport: {page}")
    for note in notes:
        print_note(note)
    report_skipped(skipped)


def _print_long_term(evaluation: Evaluation) -> None:
    """Print how trackers lose their targets and find them again, where any target is ever absent."""
    from eatrack_edge.evaluation.long_term import long_term
    from eatrack_edge.evaluation.long_term_tables import state_table, vot_table

    found = long_term(evaluation)
    if found:
        print("\nlong-term tracking, as VOT-LT scores it")
        print_table(vot_table(found))
    if rows := state_table(found):
        print("\nlosing the target and finding it again")
        print_table(rows)


def report_skipped(skipped: dict[str, Any]) -> None:
    """List every sequence that was left out.

    Raises:
        InputError: There is one.
    """
    rows = [(title, name, reason) for title, reasons in skipped.items() for name, reason in reasons.items()]
    for title, name, reason in rows:
        print(f"left out: {title}, {name}: {reason}", file=sys.stderr)
    if rows:
        raise InputError(f"{len(rows)} sequences were left out of the scores, the first is {rows[0][1]}: {rows[0][2]}")
