"""``eatrack-edge bench overhead``: measures what tracking costs apart from inference."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from eatrack_edge.cli.console import TrackProgress, print_line, print_table
from eatrack_edge.core.resources import DEFAULT_MODEL


def overhead(
    model: Annotated[str, typer.Option(help="Defines crops and maps: bundled, or exported.")] = DEFAULT_MODEL,
    updates: Annotated[int, typer.Option(min=100, help="Updates of the long run.")] = 100_000,
    live: Annotated[bool, typer.Option("--live", help="Also a live session, ten times as many frames.")] = False,
    json: Annotated[Path | None, typer.Option(help="Write the result as JSON to this path.")] = None,
) -> None:  # fmt: skip
    """Measure crop, copy, decoding and storing on one core without a network, by frame size and over a long run.

    Then the loop of track around an update that takes no time, for ten times as many frames.
    """
    from eatrack_edge.benchmarks.measure.overhead import measure_overhead
    from eatrack_edge.benchmarks.measure.overhead_result import crop_table, findings, frame_table, write_overhead

    if json:
        from eatrack_edge.core.io import check_writable

        check_writable(json.parent)
    with TrackProgress("the loop of track", 10 * updates) as progress:
        result = measure_overhead(
            model,
            updates,
            ["eatrack-edge", *sys.argv[1:]],
            lambda step, done, _seconds: progress.show(step, done, updates if done else None),
            advance=progress.advance,
            is_live=live,
        )
    print_line(f"measured on {result.measured_on}; {result.backend}")
    for rows in (frame_table(result), crop_table(result)):
        print()
        print_table(rows)
    print()
    for line in [
        *findings(result),
        *(f"INVALID, do not quote the absolute figures: {reason}" for reason in result.invalid_reasons),
        *(f"note: {note}" for note in result.notes),
    ]:
        print(line)
    if json:
        write_overhead(result, json)
        print(f"\n{json}")
