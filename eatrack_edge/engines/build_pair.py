"""Builds a model's two engines: builds, times where there are several, compares with ONNX, and only then writes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from functools import partial
from pathlib import Path

from eatrack_edge import __version__
from eatrack_edge.core.errors import MissingExtra
from eatrack_edge.core.io import sha256, staged, write_whole
from eatrack_edge.engines import parity
from eatrack_edge.engines.build import Built, Job, build
from eatrack_edge.engines.build_progress import Step
from eatrack_edge.engines.child_process import run_in_child
from eatrack_edge.engines.memory_budget import plan_memory
from eatrack_edge.engines.precision_audit import Audit
from eatrack_edge.engines.timing_cache import cache_path
from eatrack_edge.inference.backend import Backend
from eatrack_edge.inference.model_files import Graphs
from eatrack_edge.inference.onnx_metadata import graph_files, graph_sha256
from eatrack_edge.inference.tensorrt.cuda_memory import open_memory
from eatrack_edge.inference.tensorrt.fingerprint import read_fingerprint
from eatrack_edge.inference.tensorrt.manifest import (
    Fingerprint,
    Manifest,
    engine_paths,
    write_manifest,
)
from eatrack_edge.machine.memory import read_memory

Report = Callable[[str, Step], None]  # called with the name of the engine that is being built, and its progress


@dataclass(frozen=True, slots=True)
class EnginePair:
    """The two engines of a model, built and written.

    Attributes:
        template, track: The engines' files.
        fingerprint: Of this machine.
        audits: Precision of the matrix multiplications of each, template first.
        seconds: Of all builds together.
        differences: Map to largest difference from ONNX Runtime; empty where they were not compared.
        latencies: Of each build, where there were several.
        note: Why they were not compared; empty where they were.
    """

    template: Path
    track: Path
    fingerprint: Fingerprint
    audits: tuple[Audit, ...]
    seconds: float
    differences: dict[str, float] = field(default_factory=dict)
    latencies: tuple[parity.Latency, ...] = ()
    note: str = ""


def build_pair(
    graphs: Graphs, folder: Path, report: Report, *, command: str, builds: int = 1, uses_dla: bool = False
) -> EnginePair:
    """Build both engines of a model for this machine. The caller keeps others from building into the folder.

    Args:
        graphs: What to build.
        folder: Where to; made if needed. Engines of the same name are replaced once the new ones have passed.
        report: Called as the builds proceed.
        command: What builds them again, for the manifest.
        builds: Build so many of each and keep the fastest: TensorRT chooses by timing, and timings scatter.
        uses_dla: Put what can run there on the deep learning accelerator.

    Raises:
        InputError: TensorRT cannot read or build a graph.
        GateFailed: A graph is not in the precision of its name, or the engines disagree with ONNX Runtime.
        MachineError: No GPU, no driver, too little memory, or the build was killed.
        MissingExtra: TensorRT is not installed, or nothing to run the engines with where several are compared.
        OutputError: The folder cannot be written.
    """
    here = read_fingerprint()
    if builds > 1:
        open_memory()  # without it engines cannot be timed: better to fail now than after the builds
    jobs = [_job(graph, cache_path(folder, here), uses_dla) for graph in (graphs.template, graphs.track)]
    with staged(folder) as work:
        attempts = [_attempt(graphs, jobs, work / str(number), here, command, report) for number in range(builds)]
        made = _finish(graphs, attempts, work, here)
    return replace(made, template=folder / made.template.name, track=folder / made.track.name)


@dataclass(frozen=True, slots=True)
class _Attempt:
    engines: tuple[Path, Path]
    manifests: tuple[Manifest, Manifest]
    built: tuple[Built, Built]


def _job(graph: Path, timings: Path, uses_dla: bool) -> Job:
    files = graph_files(graph)
    # Weights in a file of their own are half precision, and are widened as the graph is read.
    weight_bytes = sum(path.stat().st_size for path in files) * min(len(files), 2)
    return Job(graph, plan_memory(weight_bytes, read_memory()).workspace, timings, uses_dla)


def _attempt(graphs: Graphs, jobs: list[Job], work: Path, here: Fingerprint, command: str, report: Report) -> _Attempt:
    engines = engine_paths(graphs.name, graphs.model_spec.precision, work)
    manifests, built = [], []
    for job, engine in zip(jobs, engines, strict=True):
        one = run_in_child(build, job, partial(report, engine.name), what=f"the build of {engine.name}")
        write_whole(engine, one.engine)
        manifest = _manifest(graphs, job.graph, engine, here, command)
        write_manifest(engine, manifest)
        manifests.append(manifest)
        built.append(replace(one, engine=b""))  # the file has it now: memory is short where this runs
    return _Attempt(engines, (manifests[0], manifests[1]), (built[0], built[1]))


def _manifest(graphs: Graphs, graph: Path, engine: Path, here: Fingerprint, command: str) -> Manifest:
    return Manifest(
        model_spec=graphs.model_spec.to_metadata(),
        precision=graphs.model_spec.precision,
        checkpoint_sha256=graphs.model_spec.checkpoint_sha256,
        graph_sha256=graph_sha256(graph),
        engine_sha256=sha256(engine),
        fingerprint=here,
        built_at=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        command=command,
        tool_version=__version__,
    )


def _finish(graphs: Graphs, attempts: list[_Attempt], folder: Path, here: Fingerprint) -> EnginePair:
    """Choose the fastest pair, compare it with ONNX Runtime, and move it into ``folder``."""
    latencies = tuple(_time(attempt) for attempt in attempts) if len(attempts) > 1 else ()
    best = attempts[_fastest([latency.track for latency in latencies])]
    differences, note = _compare(graphs, best)
    engines = engine_paths(graphs.name, graphs.model_spec.precision, folder)
    for index, (source, target) in enumerate(zip(best.engines, engines, strict=True)):
        manifest = replace(
            best.manifests[index],
            builds=len(attempts),
            latencies_ms=tuple(latency[index] for latency in latencies),
            parity=differences,
        )
        source.replace(target)
        write_manifest(target, manifest)
    seconds = sum(one.seconds for attempt in attempts for one in attempt.built)
    audits = tuple(one.audit for one in best.built)
    return EnginePair(*engines, here, audits, seconds, differences, latencies, note)


def _fastest(times_ms: list[float]) -> int:
    return times_ms.index(min(times_ms)) if times_ms else 0


def _time(attempt: _Attempt) -> parity.Latency:
    return parity.time_calls(_open(attempt))


def _compare(graphs: Graphs, attempt: _Attempt) -> tuple[dict[str, float], str]:
    """Differences from ONNX Runtime, or why there are none."""
    from eatrack_edge.inference.onnxruntime import OnnxRuntimeBackend

    try:
        reference = OnnxRuntimeBackend(graphs.template, graphs.track, provider="CPUExecutionProvider")
        engines = _open(attempt)
    except MissingExtra as error:
        return {}, error.message
    differences = parity.measure(engines, reference)
    parity.check(differences, graphs.model_spec.precision, str(graphs.track))
    return differences, ""


def _open(attempt: _Attempt) -> Backend:
    from eatrack_edge.inference.tensorrt.backend import TensorRTBackend

    return TensorRTBackend(*attempt.engines)
