"""``eatrack-edge bench selection``: measures what a selection on a late picture is worth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from eatrack_edge.cli.console import Progress, print_line, print_table
from eatrack_edge.cli.options import RefinementName
from eatrack_edge.core.resources import DEFAULT_MODEL


def selection(
    dataset: Annotated[tuple[str, Path], typer.Option(metavar="KIND PATH", help="Dataset, such as videos clips.")],
    first_pixel: Annotated[int, typer.Option(min=0, max=1, help="First pixel in annotations: 1 for Matlab's.")] = 0,
    model: Annotated[str, typer.Option(help="A bundled model, or an exported file or folder.")] = DEFAULT_MODEL,
    backend: Annotated[str, typer.Option(help="Runtime of the graphs; auto takes the fastest installed.")] = "auto",
    refinement: RefinementName = "auto",
    threads: Annotated[int, typer.Option(min=1, help="CPU threads of one inference.")] = 1,
    delay: Annotated[
        list[float] | None, typer.Option(min=0, help="Age of the picture, s; repeat. 0.3, 0.5, 1.")
    ] = None,
    per_sequence: Annotated[int, typer.Option(min=1, help="Selections in each sequence.")] = 4,
    camera_fps: Annotated[
        float, typer.Option(min=0, help="Frame rate of the simulated camera; 0 is each sequence's own.")
    ] = 0.0,
    update_ms: Annotated[float, typer.Option(min=0, help="Time of a simulated update, milliseconds.")] = 50.0,
    csv: Annotated[Path | None, typer.Option(help="Write every selection to this path.")] = None,
) -> None:
    """Measure success a second after a selection: on the frame that was seen, on the newest, and without delay."""
    from eatrack_edge.benchmarks.measure.selection_delay import (
        Plan,
        Selected,
        as_csv,
        differences,
        measure_selections,
        success_table,
    )
    from eatrack_edge.core.errors import InputError
    from eatrack_edge.core.io import write_whole
    from eatrack_edge.datasets.registry import open_dataset
    from eatrack_edge.tracking.settings import RefinementSettings, TrackerSettings
    from eatrack_edge.tracking.tracker import Tracker

    sequences = [read() for read in open_dataset(*dataset, first_pixel).readers.values()]
    delays_s = tuple(dict.fromkeys((0.0, *(delay or (0.3, 0.5, 1.0)))))
    plan = Plan(delays_s, camera_fps=camera_fps, update_ms=update_ms, per_sequence=per_sequence)
    settings = TrackerSettings(refinement=RefinementSettings(policy=refinement))
    rows: list[Selected] = []
    with (
        Progress("selections") as progress,
        Tracker(model, backend=backend, threads=threads, settings=settings) as tracker,
    ):
        for row in measure_selections(tracker, sequences, plan):
            rows.append(row)
            progress.show(row.sequence, len(rows), None)
    if not rows:
        raise InputError(f"{dataset[1]}: no sequence is long enough", hint="a selection needs about two seconds")
    headings = [("delay, s", "taken on", "selections", "success")]
    found = [
        (f"{delay:g}", taken_on, str(count), f"{share:.3f}") for delay, taken_on, count, share in success_table(rows)
    ]
    print_table([*headings, *found])
    against = [
        (f"{delay:g}", reference, f"{mean:+.3f}", f"{error:.3f}") for delay, reference, mean, error in differences(rows)
    ]
    print_table([("delay, s", "seen, less", "difference", "standard error"), *against])
    if csv:
        write_whole(csv, as_csv(rows))
        print_line(str(csv))
