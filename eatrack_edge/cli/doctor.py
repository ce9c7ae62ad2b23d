"""``eatrack-edge doctor``: what this machine is, what runs on it, and the command that mends what does not."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from eatrack_edge.diagnosis.examine import Diagnosis

_CANNOT_TRACK = 3  # the exit code of a MachineError
_PIPE_WIDTH = 120


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of the table.")] = False,
) -> None:
    """Look at this machine and say what to mend. Exit code 0 when track can run, 3 when not."""
    import json

    from eatrack_edge.diagnosis.examine import examine

    diagnosis = examine()
    if as_json:
        print(json.dumps(diagnosis.to_json(), indent=2))
    else:
        _show(diagnosis)
    if not diagnosis.can_track:
        raise typer.Exit(_CANNOT_TRACK)


def _show(diagnosis: Diagnosis) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH, highlight=False)
    styles = {"ok": "green", "note": "yellow", "problem": "bold red"}
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for finding in diagnosis.findings:
        table.add_row(Text(finding.state, styles[finding.state]), finding.subject, Text(finding.text))
    console.print(table)
    to_mend = [finding for finding in diagnosis.findings if finding.fix]
    for finding in sorted(to_mend, key=lambda finding: finding.state != "problem"):
        # On a line of its own and never wrapped, so that it can be copied.
        console.print(Text(f"\n{finding.subject}:", styles[finding.state]))
        console.print(Text(f"  {finding.fix}"), soft_wrap=True)
    verdict = f"track runs here, on {diagnosis.backends[0]}" if diagnosis.can_track else "track cannot run here yet"
    console.print(Text(f"\n{verdict}", "bold"))
