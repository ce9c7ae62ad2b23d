"""``eatrack-edge bench pareto``: draws accuracy against speed from a table of both."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from eatrack_edge.cli.console import print_line, print_table


def pareto(
    table: Annotated[Path, typer.Argument(help="CSV: tracker,family,precision,backend,relative_time,success NAME...")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="SVG; next to the table by default.")] = None,
) -> None:  # fmt: skip
    """Draw accuracy against speed of several trackers, forms of one family joined by a line.

    Times are relative to the tracker that has 1.
    """
    from eatrack_edge.benchmarks.pareto import draw_pareto, front_table, read_table
    from eatrack_edge.core.io import write_whole

    rows = read_table(table)
    output = output or table.with_suffix(".svg")
    write_whole(output, draw_pareto(rows))
    print_table(front_table(rows), "* no other tracker is both faster and more accurate")
    print_line(str(output))
