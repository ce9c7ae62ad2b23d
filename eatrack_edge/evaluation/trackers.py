"""Trackers by name, so that a worker process can open them: ours, the baselines, and the user's own."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path

from eatrack_edge.core.errors import UsageError, did_you_mean
from eatrack_edge.evaluation.baselines.registry import BASELINES, open_baseline
from eatrack_edge.evaluation.tracker_protocol import SingleObjectTracker

OURS = "eatrack"
FIXED = "eatrack_fixed"  # ours without template updates, to measure what they are worth


@dataclass(frozen=True, slots=True)
class TrackerSpec:
    """Name and settings of a tracker, which can be sent to another process or machine.

    Attributes:
        name: ``eatrack``, ``eatrack_fixed`` for the same without template updates, a name in ``BASELINES``, or
            ``module:callable`` of your own, called without arguments.
        model: For ours: a bundled model's name or a file; empty takes the default.
        baselines: Folder of the baselines' weights, one folder each; empty where none is needed.
        threads: Threads that one tracker may use.
        refinement: For ours: a name in ``tracking.refinement.REFINEMENTS``; empty takes the default.
        camera_fps: Rate of a simulated live camera, whose frames a slow tracker misses; 0: none are missed.
        label: Name of the tracker in tables and folders; empty takes ``name``, or the model's.
    """

    name: str = OURS
    model: str = ""
    baselines: str = ""
    threads: int = 1
    refinement: str = ""
    camera_fps: float = 0.0
    label: str = ""

    @property
    def title(self) -> str:
        """Name for tables and folders."""
        if self.label:
            return self.label
        if self.name in (OURS, FIXED) and self.model:
            stem = Path(self.model).name.removesuffix(".onnx").removesuffix(".track")
            return (stem if self.name == OURS else f"{stem}_fixed") + self._refined
        if self.name in (OURS, FIXED):
            return self.name + self._refined
        return self.name.replace(":", ".")

    @property
    def _refined(self) -> str:
        return f"_refinement_{self.refinement}" if self.refinement else ""


def check_known(spec: TrackerSpec) -> None:
    """Refuse an unknown tracker, before any work is done.

    Raises:
        UsageError: No such tracker.
    """
    known = (OURS, FIXED, *BASELINES.names())
    if spec.name not in known and ":" not in spec.name:
        hint = did_you_mean(spec.name, known, "known: {}, or module:callable of your own")
        raise UsageError(f"no tracker called `{spec.name}`", hint=hint)


def open_tracker(spec: TrackerSpec) -> SingleObjectTracker:
    """Open a tracker.

    Raises:
        UsageError: No such tracker, module or callable.
        InputError: Its weights do not exist.
        MissingExtra: It needs a package that is not installed.
    """
    check_known(spec)
    if spec.name in (OURS, FIXED):
        from eatrack_edge.core.resources import DEFAULT_MODEL
        from eatrack_edge.tracking.settings import RefinementSettings, TemplateSettings, TrackerSettings
        from eatrack_edge.tracking.tracker import Tracker

        templates = TemplateSettings(policy="medoid" if spec.name == OURS else "first_only")
        refinement = RefinementSettings(policy=spec.refinement) if spec.refinement else RefinementSettings()
        settings = TrackerSettings(templates=templates, refinement=refinement)
        return Tracker(spec.model or DEFAULT_MODEL, threads=spec.threads, settings=settings)
    if spec.name in BASELINES:
        return open_baseline(spec.name, Path(spec.baselines) if spec.baselines else None, spec.threads)
    module, _, attribute = spec.name.partition(":")
    try:
        make = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise UsageError(f"cannot open tracker `{spec.name}`: {error}") from error
    made: SingleObjectTracker = make()
    return made
