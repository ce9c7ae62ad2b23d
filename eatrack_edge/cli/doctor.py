"""``eatrack-edge doctor``: checks this machine, lists the runtimes that work, and how to fix the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from eatrack_edge.cli.console import print_line, print_table

if TYPE_CHECKING:
    from eatrack_edge.diagnosis.examine import Diagnosis

_CANNOT_TRACK = 3  # the exit code of a MachineError


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of the table.")] = False,
) -> None:
    """Check this machine and list what to fix. Exit code 0 if track can run, 3 if not."""
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
    styles = {"ok": "green", "note": "yellow", "problem": "bold red"}
    rows = [(finding.state, finding.subject, finding.text) for finding in diagnosis.findings]
    print_table(rows, has_headings=False, styles=styles)
    with_fix = [finding for finding in diagnosis.findings if finding.fix]
    for finding in sorted(with_fix, key=lambda finding: finding.state != "problem"):
        print_line(f"\n{finding.subject}:", styles[finding.state])
        print_line(f"  {finding.fix}")
    verdict = f"track runs here, on {diagnosis.backends[0]}" if diagnosis.can_track else "track cannot run here yet"
    print_line(f"\n{verdict}", "bold")
