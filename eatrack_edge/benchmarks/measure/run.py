"""Runs one benchmark, from request to result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from eatrack_edge.benchmarks.measure.bench_result import Clip, Energy, Method, Model, Result, Versus
from eatrack_edge.benchmarks.measure.frame_blocks import DEFAULT_SOURCE, FrameBlocks
from eatrack_edge.benchmarks.measure.latency import Contestant, Plan, histogram, measure, replay, spreads, warm_up
from eatrack_edge.benchmarks.measure.timeline import thermal, timeline
from eatrack_edge.benchmarks.measure.validity import invalid_reasons, unknown_conditions
from eatrack_edge.benchmarks.measure.versus import Entry, installed_backends, open_entry, opened_as, parse_entry, ratio
from eatrack_edge.core.boxes import Box
from eatrack_edge.core.errors import MissingExtra
from eatrack_edge.core.io import sha256
from eatrack_edge.core.resources import DEFAULT_MODEL
from eatrack_edge.inference.model_files import DEFAULT_PRECISION, find_graphs
from eatrack_edge.inference.onnx_metadata import graph_sha256
from eatrack_edge.inference.tensorrt.engine_files import is_engine, named_engines
from eatrack_edge.machine.board import Board, read_board
from eatrack_edge.machine.conditions import Work, board_facts, now, read_environment, read_work
from eatrack_edge.machine.device_check import DeviceCheck, check_device, machine_name, projected_kind, runs_engine
from eatrack_edge.machine.devices import devices_of
from eatrack_edge.machine.energy import METHOD, energy_above_idle, idle_watts
from eatrack_edge.machine.memory import read_memory, rss_bytes
from eatrack_edge.machine.power import read_rails
from eatrack_edge.machine.sampler import Sample, Sampler
from eatrack_edge.tracking.refinement import refinement_name

_FEW = 1000  # updates below which the hundredth of them is a handful

Progress = Callable[[str, int, float], None]  # told the step, updates done of each tracker, and the seconds gone


@dataclass(frozen=True, slots=True)
class Request:
    """What to measure.

    Attributes:
        source: As ``open_source`` takes it.
        box: The target in its first frame; may be left out where the source knows it.
        model: A bundled model's name, or an exported file or folder.
        backend: One of ``inference.registry.BACKENDS``; on an Orin ``auto`` is TensorRT.
        precision: One of ``model_spec.PRECISIONS``; empty: the graphs as they are, or fp16 for an engine.
        refinement: Of ours: ``auto``, or a name in ``tracking.refinement.REFINEMENTS``.
        threads: Threads of one inference.
        device: One of ``device_check.DEVICES``; it never changes what the result says was measured.
        versus: What to compare it with; ``None``: the other backends that are installed.
        baselines: Folder of the baselines' weights.
        plan: How long.
        percentiles: Percentiles to report besides the usual ones.
        camera_fps: Of the live camera to replay; ``None`` takes the source's.
    """

    source: str = DEFAULT_SOURCE
    box: Box | None = None
    model: str = DEFAULT_MODEL
    backend: str = "auto"
    precision: str = ""
    refinement: str = "auto"
    threads: int = 1
    device: str = "auto"
    versus: tuple[str, ...] | None = None
    baselines: Path | None = None
    plan: Plan = field(default_factory=Plan)
    percentiles: tuple[float, ...] = ()
    camera_fps: float | None = None


@dataclass(slots=True)
class _Run:
    """Raw figures of a run, before they are summarised."""

    contestants: list[Contestant]
    entries: list[Entry]
    rss: dict[str, float | None]
    samples: list[Sample]
    work: tuple[Work, Work]
    idle_w: float | None
    seconds: float


def run_bench(request: Request, command: Sequence[str], progress: Progress, root: Path = Path("/")) -> Result:
    """Measure.

    Args:
        request: What to measure.
        command: To be written into the result.
        progress: Called with the step, updates done and seconds; raise from it to stop.
        root: Stands for ``/`` wherever the machine is read.

    Raises:
        UsageError: The request cannot be met as it is.
        InputError: The source or the graphs are not what they should be.
        MachineError: This machine lacks something, such as ``onnx`` for a projection that was asked for.
    """
    board = read_board(root)
    claim = check_device(request.device, board)
    projection = _projection(claim, board, request)  # first: what it lacks is said before minutes of measuring
    cv2.setNumThreads(request.threads)
    ours = _ours(request, claim, board)
    rss_before, free_before = rss_bytes(root), read_memory(root).available
    rss: dict[str, float | None] = {"before_load": _megabytes(rss_before)}
    progress("loading", 0, 0.0)
    entries = [parse_entry(spec, ours) for spec in dict.fromkeys(request.versus or ())]
    first = open_entry(ours, request.baselines, request.threads)
    grown, taken = rss_bytes(root) - rss_before, free_before - read_memory(root).available
    rss["loaded"] = _megabytes(rss_before + grown)
    # An Orin's GPU shares the memory: what the machine lost and this process did not gain is the device's.
    rss["device"] = _megabytes(max(0, taken - grown)) if board.kind else None
    if request.versus is None:
        entries = installed_backends(ours, first.follower.backend.name)
    contestants = [first, *(open_entry(entry, request.baselines, request.threads) for entry in entries)]
    progress("preparing the frames", 0, 0.0)
    with FrameBlocks(request.source, request.box) as frames:
        run = _measure(request, frames, contestants, entries, rss, progress, root)
        return _result(request, command, board, claim, ours, frames, run, projection, root)


def _ours(request: Request, claim: DeviceCheck, board: Board) -> Entry:
    uses_engine = runs_engine(claim, board) and request.backend in ("auto", "tensorrt")
    backend = "tensorrt" if uses_engine else request.backend
    return Entry("ours", "", request.model, backend, request.precision, request.refinement)


def _measure(
    request: Request,
    frames: FrameBlocks,
    contestants: list[Contestant],
    entries: list[Entry],
    rss: dict[str, float | None],
    progress: Progress,
    root: Path,
) -> _Run:
    idle_w = None
    if read_rails(root):
        progress("measuring idle power", 0, 0.0)
        idle_w = idle_watts(root)
    progress("warming up", 0, 0.0)
    blocks = frames.blocks(request.plan.block)
    warm_up(contestants, blocks, frames.box, request.plan)
    before = read_work(root)
    with Sampler(root) as sampler:
        seconds = measure(contestants, blocks, frames.box, request.plan, partial(progress, "measuring"))
    work = before, read_work(root)
    rss["peak"] = _megabytes(max(sample.rss for sample in sampler.samples))
    return _Run(contestants, entries, rss, sampler.samples, work, idle_w, seconds)


def _result(
    request: Request,
    command: Sequence[str],
    board: Board,
    claim: DeviceCheck,
    ours: Entry,
    frames: FrameBlocks,
    run: _Run,
    projected: tuple[dict[str, Any] | None, list[str]],
    root: Path,
) -> Result:
    first = run.contestants[0]
    totals = first.stages["total"]
    facts, heat = board_facts(root), thermal(run.samples)
    env = read_environment(*run.work)
    others = zip(run.entries, run.contestants[1:], strict=True)
    cold = [one.label for one in run.contestants if not one.is_warm]
    reasons = invalid_reasons(facts, run.samples, heat, env.others_cores, cold)
    projection, notes = projected[0], [*projected[1], *unknown_conditions(run.samples)]
    if len(totals) < _FEW:
        notes.append(f"p99 rests on the slowest {max(1, len(totals) // 100)} of {len(totals)} updates")
    return Result(
        command=list(command),
        measured_at=now(),
        measured_on=machine_name(board),
        claim=claim,
        env=env,
        board=facts,
        model=_model(first, ours, request),
        clip=Clip(frames.uri, *frames.size, frames=frames.frames_read, note=frames.note),
        method=_method(run, request.plan),
        memory_mb=run.rss,
        **_speed(first, request),
        realtime=replay(totals, request.camera_fps or frames.fps),
        energy=_energy(run),
        thermal=heat,
        accuracy={"mean_overlap": overlap} if (overlap := _overlap(first)) is not None else {},
        timeline=timeline(run.samples, first.spans, totals),
        histogram_ms=histogram(totals),
        versus=[_versus(entry, other, first, request) for entry, other in others],
        projection=projection,
        valid=not reasons,
        invalid_reasons=reasons,
        notes=notes,
    )


def _method(run: _Run, plan: Plan) -> Method:
    first = run.contestants[0]
    return Method(
        iterations=len(first.stages["total"]),
        duration_s=round(run.seconds, 2),
        block=plan.block,
        warmup_ms=plan.warmup_ms,
        warmup_updates=first.warmup_updates,
        is_warm=first.is_warm,
    )


def _speed(first: Contestant, request: Request) -> dict[str, Any]:
    latency = spreads(first, request.percentiles)
    stages = {"model": "total", "end_to_end": "end_to_end"}
    return {
        "latency_ms": latency,
        "fps": {name: round(1000 / latency[stage].p50, 2) for name, stage in stages.items()},
        "first_frame_ms": round(first.first_frame_ms, 3),
        "first_update_ms": round(first.first_update_ms, 3),
        "load_ms": round(first.load_ms, 3),
    }


def _model(first: Contestant, ours: Entry, request: Request) -> Model:
    backend: Any = first.follower.backend
    opened = opened_as(ours)
    files = named_engines(opened)[1:] if is_engine(opened) else find_graphs(opened)
    digest = sha256 if is_engine(opened) else graph_sha256
    return Model(
        name=backend.model_spec.model,
        backend=backend.name,
        precision=backend.model_spec.precision,
        threads=request.threads,
        checkpoint_sha256=backend.model_spec.checkpoint_sha256,
        file_sha256={path.name: digest(path) for path in files},
        refinement=refinement_name(first.follower.settings.refinement, backend),
    )


def _versus(entry: Entry, other: Contestant, first: Contestant, request: Request) -> Versus:
    backend: Any = getattr(other.follower, "backend", None)
    return Versus(
        spec=entry.spec,
        label=other.label,
        backend=backend.name if backend else "",
        precision=backend.model_spec.precision if backend else "",
        latency_ms=spreads(other, request.percentiles),
        first_frame_ms=round(other.first_frame_ms, 3),
        load_ms=round(other.load_ms, 3),
        ratio=ratio(first.block_ms, other.block_ms),
        mean_overlap=_overlap(other),
        is_warm=other.is_warm,
    )


def _projection(claim: DeviceCheck, board: Board, request: Request) -> tuple[dict[str, Any] | None, list[str]]:
    kind = projected_kind(claim, board)
    if not kind:
        return None, []
    if is_engine(request.model):
        return None, ["no projection: it is calculated from a graph, and an engine was named"]
    from eatrack_edge.benchmarks.projection.project import projection_figures

    precision = request.precision or DEFAULT_PRECISION
    try:
        return projection_figures(find_graphs(request.model)[1], precision, devices_of(kind)), []
    except MissingExtra as error:
        if request.device != "auto":  # it was asked for
            raise
        return None, [f"no projection: {error.message}; {error.hint}"]


def _energy(run: _Run) -> Energy | None:
    """Of our updates, above idle; ``None`` where the machine does not measure its power."""
    spans = run.contestants[0].spans
    found = energy_above_idle(run.samples, [(begin, end) for begin, end, _ in spans], run.idle_w)
    if found is None:
        return None
    return Energy(
        rails=list(found.rails),
        idle_w=round(found.idle_w, 3),
        mean_w=round(found.mean_w, 3),
        j_per_frame=round(found.joules / sum(frames for _, _, frames in spans), 5),
        samples=found.samples,
        method=METHOD,
    )


def _overlap(contestant: Contestant) -> float | None:
    """Mean overlap with the truth where it is known; the frames where the target is absent are left out."""
    known = [value for value in contestant.overlaps if not np.isnan(value)]
    return round(float(np.mean(known)), 4) if known else None


def _megabytes(size: int) -> float:
    return round(size / 1e6, 1)
