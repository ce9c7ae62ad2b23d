"""What a baseline is, and what it returns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from eatrack_edge.core.boxes import Box
from eatrack_edge.evaluation.tracker_protocol import SingleObjectTracker


class BaselineResult(NamedTuple):
    """A box in pixels of the frame, and the baseline's own score of it; ``nan`` where it gives none."""

    box: Box
    confidence: float


@dataclass(frozen=True, slots=True)
class Baseline:
    """A baseline that can be opened.

    Attributes:
        open: Called with the paths of its weights and with a number of threads.
        weight_files: Names of its published weights, in a folder of the baseline's name; empty where it needs none.
        package: What executes it: ``onnxruntime`` or ``opencv``.
    """

    open: Callable[[Sequence[Path], int], SingleObjectTracker]
    weight_files: tuple[str, ...] = ()
    package: str = "onnxruntime"
