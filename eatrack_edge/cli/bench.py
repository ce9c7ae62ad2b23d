"""``eatrack-edge bench``: measures the latency of a tracker by stage, compares trackers and results."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eatrack_edge.cli.bench_gpu_proof import gpu_proof
from eatrack_edge.cli.bench_live import live
from eatrack_edge.cli.bench_overhead import overhead
from eatrack_edge.cli.bench_pareto import pareto
from eatrack_edge.cli.bench_selection import selection
from eatrack_edge.cli.console import Progress, print_facts, print_line, print_note, print_table
from eatrack_edge.cli.options import RefinementName, parse_box, parse_milliseconds
from eatrack_edge.core.errors import MissingExtra, UsageError
from eatrack_edge.core.resources import DEFAULT_MODEL

if TYPE_CHECKING:
    from eatrack_edge.benchmarks.measure.bench_result import Result


bench = typer.Typer(
    help="Benchmark a tracker: latency by stage, memory, energy, and other trackers on the same frames.",
    rich_markup_mode=None,
    invoke_without_command=True,
)


bench.command()(overhead)
bench.command()(live)
bench.command("gpu-proof")(gpu_proof)
bench.command()(selection)
bench.command()(pareto)


@bench.callback()
def measure(
    context: typer.Context,
    source: Annotated[str, typer.Option(help="A video, images, or test:// for the synthetic scene, the default.")] = "",
    box: Annotated[str, typer.Option(help="The target in the first frame: x,y,w,h in pixels.")] = "",
    model: Annotated[str, typer.Option(help="A bundled model, or an exported file or folder.")] = DEFAULT_MODEL,
    backend: Annotated[str, typer.Option(help="Runtime of the graphs; auto takes the fastest installed.")] = "auto",
    precision: Annotated[str, typer.Option(help="fp32, fp16, int8 or int8-fp16; that of the graphs by default.")] = "",
    refinement: RefinementName = "auto",
    threads: Annotated[int, typer.Option(min=1, help="CPU threads of one inference.")] = 1,
    device: Annotated[str, typer.Option(help="auto, cpu, orin, orin-nano, orin-nx, agx-orin; checked.")] = "auto",
    vs: Annotated[list[str] | None, typer.Option(help="Baseline, or MODEL@BACKEND:PRECISION; repeat.")] = None,
    alone: Annotated[bool, typer.Option("--alone", help="Compare with no other tracker.")] = False,
    baselines: Annotated[Path | None, typer.Option(help="Folder with the weights of baselines.")] = None,
    iterations: Annotated[int, typer.Option(min=2, help="Minimum number of updates.")] = 100,
    duration: Annotated[float, typer.Option(min=0, help="Minimum measuring time, s.")] = 10.0,
    warmup: Annotated[float, typer.Option(min=0, help="Minimum warm-up, ms; then until stable.")] = 500.0,
    percentile: Annotated[str, typer.Option(help="More percentiles: 75,99.9.")] = "",
    camera_fps: Annotated[float | None, typer.Option(min=0.1, help="Frame rate of the simulated camera.")] = None,
    soak: Annotated[str, typer.Option(help="Measure for this time, with its unit: 90s, 10m, 1h.")] = "",
    remote: Annotated[str, typer.Option(help="Run on a board over ssh: user@host.")] = "",
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for JSON and page.")] = Path("runs/bench"),
    json: Annotated[Path | None, typer.Option(help="Path of the JSON; the page is next to it.")] = None,
) -> None:  # fmt: skip
    """Measure a tracker on this machine. ``--device`` is checked; for another board there is a projection."""
    if context.invoked_subcommand is not None:
        return
    from eatrack_edge.benchmarks.measure.frame_blocks import DEFAULT_SOURCE
    from eatrack_edge.benchmarks.measure.latency import Plan
    from eatrack_edge.benchmarks.measure.run import Request, run_bench
    from eatrack_edge.core.io import check_writable

    if alone and vs:
        raise UsageError("--alone and --vs exclude each other")
    check_writable((json or output / "result.json").parent)
    if remote:
        result = _measure_on_board(remote)
        _show(result)
        _write(result, output, json)
        return
    request = Request(
        source=source or DEFAULT_SOURCE,
        box=parse_box(box) if box else None,
        model=model,
        backend=backend,
        precision=precision,
        refinement=refinement,
        threads=threads,
        device=device,
        versus=() if alone else tuple(vs) if vs else None,
        baselines=baselines,
        plan=Plan(iterations, _soak_s(soak) if soak else duration, warmup),
        percentiles=_percentiles(percentile),
        camera_fps=camera_fps,
    )
    with Progress("updates", has_rate=False) as progress:

        def show(step: str, done: int, seconds: float) -> None:
            progress.show(step, done, detail=f"{seconds:.0f} of {request.plan.duration_s:g} s" if done else "")

        result = run_bench(request, ["eatrack-edge", *sys.argv[1:]], show)
    _show(result)
    _write(result, output, json)


@bench.command("compare")
def compare(
    before: Annotated[Path, typer.Argument(help="JSON of the earlier result.")],
    after: Annotated[Path, typer.Argument(help="JSON of the later result.")],
    max_regression: Annotated[str, typer.Option(help="Largest allowed increase: 10% or 0.1.")] = "10%",
    show_only: Annotated[bool, typer.Option("--show-only", help="Only show; allow different conditions.")] = False,
) -> None:  # fmt: skip
    """Compare a result with an earlier one; exit code 4 if it is slower than allowed."""
    from eatrack_edge.benchmarks.measure import compare as comparison
    from eatrack_edge.benchmarks.measure.bench_result import read_result
    from eatrack_edge.benchmarks.text_report import change_table

    most = comparison.parse_share(max_regression)
    old, new = read_result(before), read_result(after)
    if not show_only:
        comparison.check_comparable(old, new)
    changes = comparison.compare(old, new)
    print_table(change_table(changes))
    for path, result in ((before, old), (after, new)):
        for reason in result.invalid_reasons:
            print(f"{path.name} is invalid: {reason}", file=sys.stderr)
    if show_only:
        for line in comparison.differences(old, new):
            print(f"differs in {line}", file=sys.stderr)
        return
    comparison.check_regression(changes, most)


@bench.command("page")
def page(
    result: Annotated[Path, typer.Argument(help="JSON of a result.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="By default next to the JSON.")] = None,
) -> None:  # fmt: skip
    """Write the HTML page of a result from its JSON."""
    from eatrack_edge.benchmarks.measure.bench_result import read_result, to_dict
    from eatrack_edge.benchmarks.page import write_page

    output = output or result.with_suffix(".html")
    write_page(to_dict(read_result(result)), output)
    print(output)


def _measure_on_board(host: str) -> Result:
    from tempfile import TemporaryDirectory

    from eatrack_edge.benchmarks.measure.bench_result import read_result
    from eatrack_edge.benchmarks.measure.remote import Remote, run_remote

    board = Remote(host, say=lambda line: print(f"{host}: {line}", file=sys.stderr, flush=True))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "result.json"
        path.write_bytes(run_remote(board, sys.argv[sys.argv.index("bench") + 1 :]))
        return read_result(path)


def _show(result: Result) -> None:
    from eatrack_edge.benchmarks import text_report as report

    print_facts(report.facts(result))
    for rows in (report.stage_table(result), report.versus_table(result)):
        if rows:
            print()
            print_table(rows, "MEASURED on this machine")
    rows, verdicts = report.projected(result)
    if rows:
        print()
        print_table(rows, "PROJECTION for boards that are not here; nothing in it was measured")
        for line in verdicts:
            print_line(f"projection: {line}")
    print()
    for line in report.verdict(result):
        print_line(line, "bold red" if line.startswith("INVALID") else "")


def _write(result: Result, output: Path, json: Path | None) -> None:
    from eatrack_edge.benchmarks.measure.bench_result import to_dict, write_result
    from eatrack_edge.benchmarks.page import write_page
    from eatrack_edge.benchmarks.text_report import file_stem

    json = json or output / f"{file_stem(result)}.json"
    write_result(result, json)
    print(f"\n{json}")
    try:
        write_page(to_dict(result), json.with_suffix(".html"))
        print(json.with_suffix(".html"))
    except MissingExtra as error:
        print_note(f"there is no page: {error.message}; {error.hint}; then: eatrack-edge bench page {json}")


def _percentiles(text: str) -> tuple[float, ...]:
    try:
        found = tuple(float(part) for part in text.replace(",", " ").split())
    except ValueError:
        found = (-1.0,)
    if not all(0 < one < 100 for one in found):
        raise UsageError(f"--percentile takes numbers between 0 and 100, got `{text}`", hint="for example: 75,99.9")
    return found


def _soak_s(text: str) -> float:
    return parse_milliseconds(text, "--soak", "10m") / 1000
