"""``eatrack-edge eval``: runs trackers on a dataset and scores them, or scores existing result files."""

from __future__ import annotations

import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eatrack_edge.cli.console import Progress, print_facts, print_note
from eatrack_edge.cli.evaluate_report import report, report_skipped
from eatrack_edge.cli.options import RefinementName
from eatrack_edge.cli.stopping import Stopped, stopping_as_interrupt
from eatrack_edge.core.errors import InputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from eatrack_edge.datasets.sequence import Dataset
    from eatrack_edge.datasets.spliced import Splice
    from eatrack_edge.evaluation.evaluate import Evaluation, Plan, Run, Work
    from eatrack_edge.evaluation.runner import FrameCount, Job, Outcome
    from eatrack_edge.evaluation.suite import Suite
    from eatrack_edge.evaluation.trackers import TrackerSpec


def evaluate(
    truth: Annotated[Path | None, typer.Option(help="Folder of true boxes, one NAME.txt per sequence.")] = None,
    results: Annotated[Path | None, typer.Option(help="Folder of a tracker's result files, same names.")] = None,
    dataset: Annotated[
        tuple[str, Path] | None,
        typer.Option(metavar="KIND PATH", help="Dataset to run on, e.g. dtb70 data/DTB70."),
    ] = None,
    suite: Annotated[
        tuple[str, Path] | None,
        typer.Option(metavar="NAME PATH", help="A suite, and the folder of its data."),
    ] = None,
    tracker: Annotated[
        list[str] | None, typer.Option(help="Tracker to run, or module:callable for your own; repeat.")
    ] = None,
    model: Annotated[str, typer.Option(help="Model of our tracker: bundled name or exported file.")] = "",
    refinement: RefinementName = "",
    baselines: Annotated[Path | None, typer.Option(help="Folder with the weights of baselines.")] = None,
    workers: Annotated[int, typer.Option(min=1, help="Worker processes, one sequence at a time each.")] = 1,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads of one tracker.")] = 1,
    cluster: Annotated[str, typer.Option(help="Address of a Dask scheduler, or `local`.")] = "",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Output folder; an interrupted run resumes from it."),
    ] = None,
    result_format: Annotated[
        list[str] | None,
        typer.Option("--format", help="Result files: otb, pysot, pytracking or got10k; repeat."),
    ] = None,
    sequence: Annotated[list[str] | None, typer.Option(help="Run only this sequence; repeat.")] = None,
    first_pixel: Annotated[
        int | None,
        typer.Option(min=0, max=1, help="First pixel in annotations of `videos` and `images`: 1 for Matlab's."),
    ] = None,
    realtime: Annotated[
        float, typer.Option(min=0, help="Simulate a live camera of this fps: a slow tracker misses frames.")
    ] = 0.0,
    every: Annotated[int, typer.Option(min=1, help="Frame stride: use every Nth frame, for faster motion.")] = 1,
    start: Annotated[int, typer.Option(min=0, help="Seed of a perturbed initial box, up to 1 px off; 0: exact.")] = 0,
    splice: Annotated[
        float, typer.Option(min=0, help="Seconds of another sequence to show in place of as many of each; 0: none.")
    ] = 0.0,
    splices: Annotated[int, typer.Option(min=1, help="Spliced clips to make from each sequence.")] = 3,
    splice_seed: Annotated[int, typer.Option(min=0, help="Which frames are spliced.")] = 0,
    failure_frames: Annotated[
        int, typer.Option(min=0, help="Most frames in the page, one a sequence: its first tracking failure.")
    ] = 24,
    protocol: Annotated[str, typer.Option(help="Scoring protocol; otb by default.")] = "",
    json: Annotated[Path | None, typer.Option(help="Write the scores as JSON to this path.")] = None,
) -> None:
    """Evaluate trackers on a dataset, or score result files."""
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
    splicing = _splicing(chosen, splice, splices, splice_seed)
    found = _spliced(_open(chosen, root, first_pixel, sequence).with_frame_stride(every), splicing)
    found = found.with_perturbed_box(start)
    common = TrackerSpec("", model, str(baselines or ""), threads, refinement, realtime)
    plan = Plan(
        found,
        _specs(common, tracker or chosen.trackers),
        named_protocol(protocol or chosen.protocol),
        output or _folder(found, root, realtime),
        tuple(result_format or ("otb",)),
        title=root.resolve().name,
    )
    evaluation = _run(plan, workers, cluster)
    varied: dict[str, float] = {"camera_fps": realtime} if realtime else {}
    varied |= {"every": every} if every > 1 else {}
    varied |= {"start": start} if start else {}
    varied |= {f"splice_{key}": value for key, value in asdict(splicing).items()} if splicing else {}
    conditions = {**varied, "data": root.name, "workers": workers, "threads": threads, "cluster": cluster or None}
    report(evaluation, plan, conditions, failure_frames, json)


def _score_files(truth: Path, results: Path, protocol: str, json: Path | None) -> None:
    from eatrack_edge.evaluation.protocol import DEFAULT_PROTOCOL
    from eatrack_edge.evaluation.protocol import protocol as named
    from eatrack_edge.evaluation.report import write_json
    from eatrack_edge.evaluation.score_folder import score_folder
    from eatrack_edge.evaluation.score_tables import COLUMNS, folder_summary

    rules = named(protocol or DEFAULT_PROTOCOL)
    scored = score_folder(truth, results, rules)
    if json:
        write_json(json, folder_summary(scored, rules))
    print(f"protocol {rules.name}: {rules.toolkit}")
    figures = [(name, f"{getattr(scored.score, name):.4f}") for name in COLUMNS]
    print_facts([*figures, ("sequences", str(scored.score.sequences))])
    for name, (have, need) in scored.mismatched.items():
        print(f"{name}: {have} boxes for {need} frames", file=sys.stderr)
    report_skipped({"results": scored.skipped})


def _chosen(dataset: tuple[str, Path] | None, suite: tuple[str, Path] | None) -> tuple[Suite, Path]:
    """The suite, by name or made from a dataset, and the folder of its data."""
    from eatrack_edge.evaluation.suite import Suite, load_suite

    if suite:
        return load_suite(suite[0]), suite[1]
    kind, root = dataset or ("", Path())
    return Suite(kind=kind, trackers=("eatrack",)), root


def _open(suite: Suite, root: Path, first_pixel: int | None, sequences: list[str] | None) -> Dataset:
    from eatrack_edge.datasets.registry import open_dataset

    found = open_dataset(suite.kind, root, suite.first_pixel if first_pixel is None else first_pixel)
    wanted = sequences or list(suite.sequences)
    if found.unannotated and not wanted:
        print_note(f"without an annotation, left out: {', '.join(found.unannotated)}")
    return _only(found, wanted)


def _splicing(suite: Suite, seconds: float, cases: int, seed: int) -> Splice | None:
    from eatrack_edge.datasets.spliced import Splice

    return Splice(seconds, cases, seed) if seconds else suite.splice


def _spliced(dataset: Dataset, splice: Splice | None) -> Dataset:
    """The dataset with its clips spliced into each other, if that is asked for."""
    from eatrack_edge.datasets.spliced import spliced

    if splice is None:
        return dataset
    found, too_short = spliced(dataset, splice)
    if too_short:
        print_note(f"too short for a splice of {splice.seconds:g} s, left out: {', '.join(too_short)}")
    return found


def _specs(common: TrackerSpec, names: Iterable[str]) -> tuple[TrackerSpec, ...]:
    """One spec for each tracker; the model and the refinement apply to our own only."""
    from eatrack_edge.evaluation.trackers import OURS, check_known

    specs = tuple(
        replace(common, name=name) if name == OURS else replace(common, name=name, model="", refinement="")
        for name in dict.fromkeys(names)
    )
    for spec in specs:
        check_known(spec)
    return specs


def _folder(dataset: Dataset, root: Path, camera_fps: float) -> Path:
    """The default output folder."""
    live = f"-live-{camera_fps:g}-fps" if camera_fps else ""
    return Path("runs") / "eval" / f"{dataset.kind}-{root.resolve().name}{live}"


def _only(dataset: Dataset, names: list[str]) -> Dataset:
    """The dataset reduced to the named sequences; all of them if none is named."""
    missing = [name for name in names if name not in dataset.readers]
    if missing:
        raise InputError(
            f"{dataset.kind} has no sequence `{missing[0]}`", hint=f"it has {', '.join(dataset.names[:12])}"
        )
    return replace(dataset, readers={name: dataset.readers[name] for name in names}) if names else dataset


def _run(plan: Plan, workers: int, cluster: str) -> Evaluation:
    from eatrack_edge.evaluation.evaluate import evaluate as run_evaluation
    from eatrack_edge.evaluation.evaluate import prepare
    from eatrack_edge.evaluation.result_files import check_formats
    from eatrack_edge.evaluation.runner import run_jobs
    from eatrack_edge.machine.power import read_rails

    check_formats(plan.formats)
    if (workers > 1 or cluster) and read_rails():
        print("energy is not measured: power is that of the whole board; use --workers 1", file=sys.stderr)
    run: Run = lambda jobs, on_frames: run_jobs(jobs, workers, on_frames)  # noqa: E731
    if cluster:
        from eatrack_edge.evaluation.cluster import on_cluster

        run = on_cluster(cluster, workers, print_note)
    work = prepare(plan)
    _print_reuse(work, plan)
    with Progress("frames", is_quiet=not work.jobs) as progress, stopping_as_interrupt():
        counter = _Counter(progress, work.jobs)
        try:
            return run_evaluation(plan, counter.watch(run), counter.show, work)
        except KeyboardInterrupt:
            kept = sum(work.reused.values()) + counter.jobs_kept
            total = len(plan.trackers) * len(work.sequences)
            raise Stopped(f"{kept} of {total} runs are kept in {plan.output}; the same command goes on") from None


def _print_reuse(work: Work, plan: Plan) -> None:
    """Say how many stored tracks are reused, and why others are run again."""
    reused, total = sum(work.reused.values()), len(plan.trackers) * len(work.sequences)
    print(f"{reused} of {total} runs are already finished in {plan.output}", file=sys.stderr)
    if work.changed:
        parts = ", ".join(dict.fromkeys(part for parts in work.changed for part in parts))
        print(f"{len(work.changed)} tracks in {plan.output} are run again, changed since: {parts}", file=sys.stderr)


class _Counter:
    """Counts finished sequences and frames into a progress display."""

    def __init__(self, progress: Progress, jobs: list[Job]) -> None:
        self._progress, self._jobs, self.jobs_done = progress, len(jobs), 0
        self.jobs_kept = 0  # of them, those whose track is written
        self._frames = sum(len(job.sequence) for job in jobs)

    def watch(self, run: Run) -> Run:
        """The same, with every outcome counted."""

        def watched(jobs: list[Job], on_frames: FrameCount) -> Iterator[Outcome]:
            for outcome in run(jobs, on_frames):
                yield outcome
                self.jobs_done += 1
                self.jobs_kept += outcome.track is not None

        return watched

    def show(self, frames: int) -> None:
        """Show that so many frames are done."""
        detail = f"{self.jobs_done}/{self._jobs} runs"
        self._progress.show("evaluating", frames, self._frames, detail)
