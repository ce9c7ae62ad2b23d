"""``--vs``: what to set beside ours, and what the comparison says.

An entry is a baseline (``kcf``, ``nanotrack_v3``), or ours in another way: ``BACKEND``, ``PRECISION``, ``MODEL``, or
several of them as ``MODEL@BACKEND:PRECISION``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from eatrack_edge.benchmarks.measure.bench_result import Ratio
from eatrack_edge.benchmarks.measure.latency import Contestant
from eatrack_edge.core.errors import UsageError, did_you_mean
from eatrack_edge.core.model_spec import PRECISIONS
from eatrack_edge.core.resources import bundled_models
from eatrack_edge.engines.ensure_engines import ensure_engines
from eatrack_edge.evaluation.baselines.registry import BASELINES, open_baseline
from eatrack_edge.inference.model_files import DEFAULT_PRECISION, find
from eatrack_edge.inference.registry import AUTO, BACKENDS
from eatrack_edge.inference.tensorrt.engine_files import is_engine
from eatrack_edge.inference.tensorrt.manifest import engine_home, engine_paths
from eatrack_edge.tracking.settings import RefinementSettings, TrackerSettings
from eatrack_edge.tracking.tracker import Tracker

_RESAMPLED = 2000


@dataclass(frozen=True, slots=True)
class Entry:
    """One tracker to put on the bench.

    Attributes:
        spec: As it was written.
        baseline: A name in ``BASELINES``; empty for ours.
        model: Of ours: a bundled model's name, or a path.
        backend: Of ours: one of ``BACKENDS``.
        precision: Of ours: one of ``PRECISIONS``; empty takes the model's graphs as they are.
        refinement: Of ours: ``auto``, or a name in ``tracking.refinement.REFINEMENTS``.
    """

    spec: str
    baseline: str = ""
    model: str = ""
    backend: str = "auto"
    precision: str = ""
    refinement: str = "auto"


def parse_entry(spec: str, ours: Entry) -> Entry:
    """Read an entry; what it does not say is as in ours.

    Raises:
        UsageError: Nothing is called so.
    """
    if spec in BASELINES:
        return Entry(spec, baseline=spec)
    model, separator, way = spec.rpartition("@")
    entry = replace(ours, spec=spec, **({"model": model} if separator else {}))
    words = way.split(":")
    if all(word in (AUTO, *BACKENDS.names(), *PRECISIONS) for word in words):
        for word in words:
            entry = replace(entry, **{"precision" if word in PRECISIONS else "backend": word})
        return entry
    if not separator and (way in bundled_models() or Path(way).exists()):
        return replace(ours, spec=spec, model=way, precision="")
    known = (*BASELINES.names(), *BACKENDS.names(), *PRECISIONS, *bundled_models())
    hint = did_you_mean(spec, known, "known: {}; or an exported file")
    raise UsageError(f"nothing called `{spec}` to compare with", hint=hint)


def installed_backends(ours: Entry, backend_name: str) -> list[Entry]:
    """The other backends that a CPU can run ours on.

    Args:
        ours: What is measured.
        backend_name: Of the backend that it runs on, as it calls itself.
    """
    others = [name for name in ("openvino", "onnxruntime") if find_spec(name) and not backend_name.startswith(name)]
    return [replace(ours, spec=name, backend=name) for name in others]


def open_entry(entry: Entry, baselines: Path | None, threads: int) -> Contestant:
    """Open a tracker, timed.

    Args:
        entry: What to open.
        baselines: Folder of the baselines' weights.
        threads: Threads of one inference.

    Raises:
        UsageError: No such model, backend or refinement, or the model was not exported in that precision.
        InputError: Graphs or weights are not where they should be.
        MissingExtra: A package is not installed.
    """
    if entry.baseline:
        return Contestant(entry.baseline, lambda: open_baseline(entry.baseline, baselines, threads))
    model = opened_as(entry)
    settings = TrackerSettings(refinement=RefinementSettings(policy=entry.refinement))
    return Contestant(entry.spec, lambda: Tracker(model, backend=entry.backend, threads=threads, settings=settings))


def opened_as(entry: Entry) -> str | Path:
    """What a tracker of ours is opened with: the graph in the precision asked for, or its engine, built if need be.

    An engine that was named is opened as it is.

    Raises:
        UsageError: There is no such model, or it was not exported in that precision.
        MachineError: An engine cannot be built here.
        MissingExtra: TensorRT is not installed.
    """
    if is_engine(entry.model):
        return entry.model
    if entry.backend != "tensorrt":
        return find(entry.model, entry.precision).track if entry.precision else entry.model
    precision = entry.precision or DEFAULT_PRECISION
    graphs = find(entry.model, precision, folders=(engine_home(),))
    ensure_engines(entry.model, precision, _unreported)
    engines = [engine_paths(graphs.name, precision, folder)[1] for folder in (graphs.track.parent, engine_home())]
    return next(engine for engine in engines if engine.is_file())


def _unreported(*_: object) -> None:
    """A build is rare here, and has a command of its own to watch it with."""


def ratio(ours: Sequence[float], others: Sequence[float]) -> Ratio:
    """How many times longer the other takes.

    Args:
        ours: Median of each block, ms.
        others: Of the same blocks.

    >>> ratio([10.0, 20.0], [20.0, 40.0]).median
    2.0
    """
    quotients = np.asarray(others) / np.asarray(ours)
    draws = np.random.default_rng(0).integers(0, len(quotients), (_RESAMPLED, len(quotients)))
    medians = np.median(quotients[draws], axis=1)
    values: Any = (*np.percentile(quotients, (50, 25, 75)), *np.percentile(medians, (2.5, 97.5)))
    median, q25, q75, low, high = (float(f"{value:.4g}") for value in values)
    return Ratio(median, q25, q75, low, high, len(quotients))
