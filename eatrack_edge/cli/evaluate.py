"""``eatrack-edge eval``: run trackers over a dataset and score them, or score result files that are there."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from eatrack_edge.cli.progress import Display
from eatrack_edge.core.errors import InputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from eatrack_edge.datasets.sequence import Dataset
    from eatrack_edge.evaluation.evaluate import Evaluation, Plan, Run
    from eatrack_edge.evaluation.runner import FrameCount, Job, Outcome
    from eatrack_edge.evaluation.suite import Suite
    from eatrack_edge.evaluation.trackers import TrackerSpec


def evaluate(
    truth: Annotated[Path | None, typer.Option(help="Folder of true boxes, NAME.txt each.")] = None,
    results: Annotated[Path | None, typer.Option(help="Folder of a tracker's boxes, same names.")] = None,
    dataset: Annotated[
        tuple[str, Path] | None,
        typer.Option(metavar="KIND PATH", help="What to run on, e.g. dtb70 data/DTB70."),
    ] = None,
    suite: Annotated[
        tuple[str, Path] | None,
        typer.Option(metavar="NAME PATH", help="A suite, and where its data lies."),
    ] = None,
    tracker: Annotated[list[str] | None, typer.Option(help="Repeat for several; module:callable for your own.")] = None,
    model: Annotated[str, typer.Option(help="Our model: bundled name or exported file.")] = "",
    baselines: Annotated[Path | None, typer.Option(help="Folder of the baselines' published weights.")] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes, one sequence at a time each.")] = 1,
    threads: Annotated[int, typer.Option(min=1, help="Threads of one tracker.")] = 1,
    cluster: Annotated[str, typer.Option(help="A Dask scheduler's address, or `local`.")] = "",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder to write into, and to go on from."),
    ] = None,
    result_format: Annotated[
        list[str] | None,
        typer.Option("--format", help="otb, pysot, pytracking or got10k; repeat."),
    ] = None,
    sequence: Annotated[list[str] | None, typer.Option(help="Only this one; repeat for several.")] = None,
    first_pixel: Annotated[
        int | None,
        typer.Option(min=0, max=1, help="Of `videos` and `images`: 1 for Matlab's."),
    ] = None,
    realtime: Annotated[float, typer.Option(min=0, help="A live camera's fps: a slow tracker misses frames.")] = 0.0,
    every: Annotated[int, typer.Option(min=1, help="Only the first of every so many frames: faster motion.")] = 1,
    start: Annotated[int, typer.Option(min=0, help="1, 2, ...: begin up to a pixel off the true box.")] = 0,
    failure_frames: Annotated[int, typer.Option(min=0, help="Pictures of failures in the page, at most.")] = 24,
    protocol: Annotated[str, typer.Option(help="Whose scoring rules to follow; otb by default.")] = "",
    json: Annotated[Path | None, typer.Option(help="Write the figures here too.")] = None,
) -> None:
    """Score trackers on a dataset, or result files."""
    if truth or results:
        if not (truth and results) or dataset or suite:
            raise UsageError("scoring files needs --truth and --results, and neither --dataset nor --suite")
        _score_files(truth, results, protocol, json)
        return
    if bool(dataset) == bool(suite):
        raise UsageError(
            "nothing to evaluate: give either --dataset KIND PATH, --suite NAME PATH, or --truth DIR --results DIR"
        )
    from eatrack_edge.evaluation.evaluate import Plan
    from eatrack_edge.evaluation.protocol import protocol as named_protocol
    from eatrack_edge.evaluation.trackers import TrackerSpec

    chosen, root = _chosen(dataset, suite)
    found = _open(chosen, root, first_pixel, sequence).thinned(every).begun(start)
    alike = TrackerSpec("", model, str(baselines or ""), threads, realtime)
    plan = Plan(
        found,
        _specs(alike, tracker or chosen.trackers),
        named_protocol(protocol or chosen.protocol),
        output or _folder(found, root, realtime),
        tuple(result_format or ("otb",)),
        title=root.resolve().name,
    )
    evaluation = _run(plan, workers, cluster)
    varied: dict[str, float] = {"camera_fps": realtime} if realtime else {}
    varied |= {"every": every} if every > 1 else {}
    varied |= {"start": start} if start else {}
    conditions = {**varied, "data": root.name, "workers": workers, "threads": threads, "cluster": cluster or None}
    _report(evaluation, plan, conditions, failure_frames, json)


def _score_files(truth: Path, results: Path, protocol: str, json: Path | None) -> None:
    from eatrack_edge.evaluation.protocol import DEFAULT_PROTOCOL
    from eatrack_edge.evaluation.protocol import protocol as named
    from eatrack_edge.evaluation.report import write_json
    from eatrack_edge.evaluation.score_folder import score_folder
    from eatrack_edge.evaluation.score_tables import folder_summary

    rules = named(protocol or DEFAULT_PROTOCOL)
    scored = score_folder(truth, results, rules)
    if json:
        write_json(json, folder_summary(scored, rules))
    print(f"protocol {rules.name}: {rules.toolkit}")
    for name in ("success_auc", "precision_20px", "normalised_precision", "success_rate_50", "average_overlap"):
        print(f"{name:<21}{getattr(scored.score, name):.4f}")
    print(f"{'sequences':<21}{scored.score.sequences}")
    for name, (have, need) in scored.mismatched.items():
        print(f"{name}: {have} boxes for {need} frames", file=sys.stderr)
    _complain({"results": scored.skipped})


def _chosen(dataset: tuple[str, Path] | None, suite: tuple[str, Path] | None) -> tuple[Suite, Path]:
    """The suite, be it named or made of a dataset alone, and where its data lies."""
    from eatrack_edge.evaluation.suite import Suite, load_suite

    if suite:
        return load_suite(suite[0]), suite[1]
    kind, root = dataset or ("", Path())
    return Suite(kind=kind, trackers=("eatrack",)), root


def _open(suite: Suite, root: Path, first_pixel: int | None, sequences: list[str] | None) -> Dataset:
    from eatrack_edge.datasets.registry import open_dataset

    found = open_dataset(suite.kind, root, suite.first_pixel if first_pixel is None else first_pixel)
    return _only(found, sequences or list(suite.sequences))


def _specs(alike: TrackerSpec, names: Iterable[str]) -> tuple[TrackerSpec, ...]:
    """One for each name; a model is for our own tracker alone."""
    from eatrack_edge.evaluation.trackers import check_known

    specs = tuple(
        replace(alike, name=name, model=alike.model if name == "eatrack" else "") for name in dict.fromkeys(names)
    )
    for spec in specs:
        check_known(spec)
    return specs


def _folder(dataset: Dataset, root: Path, camera_fps: float) -> Path:
    """Where results go that nobody named a folder for."""
    live = f"-live-{camera_fps:g}-fps" if camera_fps else ""
    return Path("runs") / "eval" / f"{dataset.kind}-{root.resolve().name}{live}"


def _only(dataset: Dataset, names: list[str]) -> Dataset:
    """The dataset with these sequences alone; all of them where none is named."""
    missing = [name for name in names if name not in dataset.readers]
    if missing:
        raise InputError(
            f"{dataset.kind} has no sequence `{missing[0]}`", hint=f"it has {', '.join(dataset.names[:12])}"
        )
    return replace(dataset, readers={name: dataset.readers[name] for name in names}) if names else dataset


def _run(plan: Plan, workers: int, cluster: str) -> Evaluation:
    from eatrack_edge.evaluation.evaluate import evaluate as run_evaluation
    from eatrack_edge.evaluation.evaluate import readable_sequences, unfinished
    from eatrack_edge.evaluation.result_files import check_formats
    from eatrack_edge.evaluation.runner import run_jobs
    from eatrack_edge.machine.power import read_rails

    check_formats(plan.formats)
    if (workers > 1 or cluster) and read_rails():
        print("energy is not measured: power is the whole board's; give --workers 1", file=sys.stderr)
    run: Run = lambda jobs, on_frames: run_jobs(jobs, workers, on_frames)  # noqa: E731
    if cluster:
        from eatrack_edge.evaluation.cluster import on_cluster

        run = on_cluster(cluster, workers)
    sequences, _ = readable_sequences(plan.dataset)
    jobs = unfinished(plan, sequences)
    total = len(plan.trackers) * len(sequences)
    if len(jobs) < total:
        print(f"{total - len(jobs)} of {total} runs are finished already, in {plan.output}", file=sys.stderr)
    with EvaluateProgress(len(jobs), sum(len(job.sequence) for job in jobs)) as progress:
        return run_evaluation(plan, progress.watching(run), progress.show)


def _report(
    evaluation: Evaluation, plan: Plan, conditions: dict[str, Any], failure_frames: int, json: Path | None
) -> None:
    from eatrack_edge.evaluation.report import write_json, write_report
    from eatrack_edge.evaluation.score_tables import (
        attribute_table,
        calibration_table,
        evaluation_summary,
        overall_table,
        run_conditions,
        text_table,
    )

    conditions = run_conditions(**conditions)
    notes = write_report(evaluation, plan.output, conditions, failure_frames=failure_frames)
    if json:
        write_json(json, evaluation_summary(evaluation, conditions))
    print(f"protocol {plan.protocol.name}: {plan.protocol.toolkit}\n")
    print(text_table(overall_table(evaluation)))
    if evaluation.attributes:
        print(f"\nsuccess AUC by attribute\n{text_table(attribute_table(evaluation))}")
    if len(calibration_table(evaluation)) > 1:
        print(f"\nconfidence\n{text_table(calibration_table(evaluation))}")
    print(f"\nreport: {plan.output / 'report.html'}")
    for note in notes:
        print(f"note: {note}", file=sys.stderr)
    _complain({title: result.skipped for title, result in evaluation.trackers.items()})


def _complain(skipped: dict[str, Any]) -> None:
    """Name every sequence that was left out, and end with an error if there is one."""
    rows = [(title, name, reason) for title, reasons in skipped.items() for name, reason in reasons.items()]
    for title, name, reason in rows:
        print(f"left out: {title}, {name}: {reason}", file=sys.stderr)
    if rows:
        raise InputError(f"{len(rows)} sequences were left out of the scores, the first is {rows[0][1]}: {rows[0][2]}")


class EvaluateProgress(Display):
    """Frames and runs done of all: two bars on a terminal, a line now and then elsewhere."""

    def __init__(self, runs: int, frames: int) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
        super().__init__(*columns, is_quiet=not frames)
        self._runs, self._frames, self._runs_done = runs, frames, 0
        self._start = time.monotonic()
        self._runs_task = self.bar.add_task("sequences", total=runs)
        self._frames_task = self.bar.add_task("frames", total=frames)

    def watching(self, run: Run) -> Run:
        """The same, with every outcome counted."""

        def watched(jobs: list[Job], on_frames: FrameCount) -> Iterator[Outcome]:
            for outcome in run(jobs, on_frames):
                self._runs_done += 1
                self.bar.update(self._runs_task, completed=self._runs_done)
                yield outcome

        return watched

    def show(self, frames: int) -> None:
        """So many frames are done."""
        self.bar.update(self._frames_task, completed=frames)
        if self.is_line_due():
            rate = frames / (time.monotonic() - self._start)
            left = f", {(self._frames - frames) / rate:.0f} s left" if rate else ""
            done = f"{self._runs_done}/{self._runs} runs, {frames}/{self._frames} frames"
            print(f"{done}, {rate:.1f} a second{left}", file=sys.stderr, flush=True)
