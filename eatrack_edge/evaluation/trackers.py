"""Opens trackers by name: ours, a baseline, or any object with ``init`` and ``update``."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from eatrack_edge.core.boxes import Box
from eatrack_edge.core.crops import Frame
from eatrack_edge.core.errors import UsageError, did_you_mean
from eatrack_edge.evaluation import baselines

OURS = "eatrack"
FIXED = "eatrack_fixed"  # ours without template updates, to measure their effect


class Observation(Protocol):
    """What ``update`` of a tracker must return."""

    @property
    def box(self) -> Box:
        """In pixels of the frame, the first pixel at 0."""
        ...

    @property
    def confidence(self) -> float:
        """Any scale; ``nan`` from a tracker that has none."""
        ...


class TrackerProtocol(Protocol):
    """Interface of a single-object tracker, as in OpenCV."""

    def init(self, frame: Frame, box: Box, /) -> Any:
        """Start to track the target in ``box``, in pixels of the frame."""
        ...

    def update(self, frame: Frame, /) -> Observation:
        """Find the target in the next frame."""
        ...


@dataclass(frozen=True, slots=True)
class TrackerSpec:
    """Name and settings of a tracker, which can be sent to another process or machine.

    Attributes:
        name: ``eatrack``, ``eatrack_fixed`` for the same without template updates, one of ``baselines.BASELINES``, or
            ``module:callable`` of your own, called without arguments.
        model: For ours: the name of a bundled model, or a file; empty takes the default.
        baselines: Folder of the baselines' weights, one folder each; empty where none is needed.
        threads: Threads that one tracker may use.
        camera_fps: Rate of a simulated live camera, whose frames a slow tracker misses; 0: none are missed.
        label: Name of the tracker in tables and folders; empty takes ``name``, or the model's.
    """

    name: str = OURS
    model: str = ""
    baselines: str = ""
    threads: int = 1
    camera_fps: float = 0.0
    label: str = ""

    @property
    def title(self) -> str:
        """Name for tables and folders."""
        if self.label:
            return self.label
        if self.name in (OURS, FIXED) and self.model:
            stem = Path(self.model).name.removesuffix(".onnx").removesuffix(".track")
            return stem if self.name == OURS else f"{stem}_fixed"
        return self.name.replace(":", ".")


def check_known(spec: TrackerSpec) -> None:
    """Refuse an unknown tracker, before any work is done.

    Raises:
        UsageError: No such tracker.
    """
    known = (OURS, FIXED, *baselines.BASELINES)
    if spec.name not in known and ":" not in spec.name:
        hint = did_you_mean(spec.name, known, "known: {}, or module:callable of your own")
        raise UsageError(f"no tracker called `{spec.name}`", hint=hint)


def open_tracker(spec: TrackerSpec) -> TrackerProtocol:
    """Open a tracker.

    Raises:
        UsageError: No such tracker, module or callable.
        InputError: Its weights do not exist.
        MissingExtra: It needs a package that is not installed.
    """
    check_known(spec)
    if spec.name in (OURS, FIXED):
        from eatrack_edge.core.resources import DEFAULT_MODEL
        from eatrack_edge.tracking.settings import TemplateSettings, TrackerSettings
        from eatrack_edge.tracking.tracker import Tracker

        settings = TrackerSettings(templates=TemplateSettings(is_enabled=spec.name == OURS))
        return Tracker(spec.model or DEFAULT_MODEL, threads=spec.threads, settings=settings)
    if spec.name in baselines.BASELINES:
        baseline: TrackerProtocol = baselines.open_baseline(
            spec.name, Path(spec.baselines) if spec.baselines else None, spec.threads
        )
        return baseline
    module, _, attribute = spec.name.partition(":")
    try:
        make = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise UsageError(f"cannot open tracker `{spec.name}`: {error}") from error
    follower: TrackerProtocol = make()
    return follower
