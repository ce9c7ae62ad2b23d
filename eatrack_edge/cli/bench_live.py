"""``eatrack-edge bench live``: measures what the live loop costs around ``Tracker.update``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from eatrack_edge.cli.console import Progress, print_facts, print_line


def live(
    frames: Annotated[int, typer.Option(min=10, help="Results to measure, at 30 a second.")] = 900,
    json: Annotated[Path | None, typer.Option(help="Write the result as JSON to this path.")] = None,
) -> None:
    """Measure the processor time of the live loop at 1280x720, without a network, a decoder or a viewer."""
    from eatrack_edge.benchmarks.measure.live_loop import LIMIT_MS, measure_live_loop, write_live_loop

    if json:
        from eatrack_edge.core.io import check_writable

        check_writable(json.parent)
    with Progress("frames") as progress:
        result = measure_live_loop(
            frames, ["eatrack-edge", *sys.argv[1:]], lambda count: progress.show("live loop", count, None)
        )
    print_facts(
        [
            ("loop, ms a frame", ", ".join(f"{name} {value:.2f}" for name, value in result.loop_ms.items())),
            ("all threads, ms a frame", f"mean {result.all_threads_ms:.2f}, at most {LIMIT_MS:g} asked for"),
            ("age of results, ms", ", ".join(f"{name} {value:.2f}" for name, value in result.age_ms.items())),
            ("dropped", str(result.dropped)),
        ]
    )
    if json:
        write_live_loop(result, json)
        print_line(str(json))
