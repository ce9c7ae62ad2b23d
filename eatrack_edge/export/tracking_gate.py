"""The tracking gate: measures how much success AUC a graph of another precision loses against float32.

Two trackers of one backend run on the same clips, frame by frame in turn, so that other load on the machine affects
both: one with the float32 graphs, one with the graphs under test. A hundredth of a pixel can decide what a tracker
follows after an occlusion, so each clip is tracked from several perturbed initial boxes within a pixel of the true one,
the same for both, and the drop is the mean over them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eatrack_edge.core.boxes import Box, iou, part_in_frame
from eatrack_edge.core.errors import GateFailed, InputError
from eatrack_edge.core.frames import frame_size
from eatrack_edge.core.ranges import check_ranges
from eatrack_edge.core.reasons import beside_limit
from eatrack_edge.datasets.initial_box import start_shift
from eatrack_edge.evaluation.metrics import score_sequence
from eatrack_edge.evaluation.protocol import protocol
from eatrack_edge.export.clips import Clip, find_clips, short_name
from eatrack_edge.tracking.settings import NETWORK_ALONE
from eatrack_edge.tracking.tracker import Tracker

# The bundled scene with four seeds, none of which calibration uses.
_SCENES = tuple(f"test://?seed={seed}&frames={frames}" for seed, frames in ((0, 90), (1, 90), (2, 60), (3, 60)))
_FIRST_PIXEL = np.array([1, 1, 0, 0])  # the OTB protocol counts pixels from 1


@dataclass(frozen=True, slots=True)
class GateBudget:
    """How much worse than float32 a graph may track: largest drop in success AUC, which is in [0, 1]."""

    int8: float = 0.01
    fp16: float = 0.002
    starts: int = 3  # initial boxes of each clip, over which the drop is averaged; the first is the true box

    def __post_init__(self) -> None:
        check_ranges(self, {"int8": "[0, 1]", "fp16": "[0, 1]", "starts": "[1, inf)"})

    def of(self, precision: str) -> float:
        """The budget of a precision; ``int8-fp16`` has that of ``int8``."""
        return self.fp16 if precision == "fp16" else self.int8


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a graph tracks beside float32, on the same frames and backend.

    Attributes:
        precision: Of the graph.
        suite: What was tracked, without folders.
        clips: How many.
        frames: Updates of each tracker.
        backend: Name of the backend that ran both, with the graph under test.
        success_auc_fp32: Mean over the clips for each initial box, [0, 1].
        success_auc: The same, of the graph under test.
        budget: Largest drop allowed.
        median_box_iou: Of the two trackers' boxes, over all updates, [0, 1].
        latency_ratio: Inference time over float32's, frame by frame: lower quartile, median, upper quartile.
    """

    precision: str
    suite: str
    clips: int
    frames: int
    backend: str
    success_auc_fp32: tuple[float, ...]
    success_auc: tuple[float, ...]
    budget: float
    median_box_iou: float
    latency_ratio: tuple[float, float, float]

    @property
    def drops(self) -> tuple[float, ...]:
        """Success AUC lost against float32 for each initial box; negative where it gains."""
        return tuple(theirs - ours for theirs, ours in zip(self.success_auc_fp32, self.success_auc, strict=True))

    @property
    def drop(self) -> float:
        """Mean drop over the initial boxes."""
        return float(np.mean(self.drops))

    @property
    def is_passed(self) -> bool:
        """Whether the drop is within the budget."""
        return self.drop <= self.budget

    @property
    def drop_text(self) -> str:
        """The drop, to be printed beside the budget."""
        return beside_limit(self.drop, self.budget, ".4f")

    def remarks(self) -> list[str]:
        """Warnings for the user of the graph, a sentence each."""
        ratio, on_cpu = self.latency_ratio[1], "cpu" in self.backend.lower()
        name = self.precision.upper()
        if ratio < 1:
            return []
        if self.precision == "fp16" and on_cpu:
            return [f"FP16 takes {ratio:.2f} times as long as FP32 on {self.backend}: FP16 is for GPUs."]
        return [f"{name} has no advantage on {self.backend}: an inference takes {ratio:.2f} times as long as in FP32."]

    def row(self) -> dict[str, Any]:
        """The figures for the model's card."""
        return {key: _rounded(value) for key, value in asdict(self).items()} | {
            "drops": _rounded(self.drops),
            "drop": _rounded(self.drop),
            "is_passed": self.is_passed,
        }


def evaluate_tracking(
    fp32: Path,
    graph: Path,
    suite: str,
    budget: float,
    *,
    starts: int = 1,
    backend: str = "auto",
    on_frame: Callable[[int, int], None] = lambda _done, _of: None,
) -> Verdict:
    """Track a suite with the float32 graph and another one, and compare.

    Args:
        fp32: Track graph of the float32 export, its template graph beside it.
        graph: Track graph under test, likewise.
        suite: See ``clips.find_clips``; it must be of whole frames.
        budget: Largest drop in success AUC.
        starts: Initial boxes of each clip; the first is the true one, others are within a pixel of it.
        backend: One of ``inference.registry.BACKENDS``, for both.
        on_frame: Called with the number of frames done and of all.

    Raises:
        InputError: There is no such suite, or it has crops instead of videos.
    """
    clips = find_clips(suite, _SCENES)
    if not all(clip.is_video for clip in clips):
        raise InputError(
            f"{short_name(suite)}: holds crops of targets, the gate tracks whole videos",
            hint="give videos with true boxes, or leave it out for the bundled scene: --gate-suite test://",
        )
    first, second = (Tracker(model, backend=backend, settings=NETWORK_ALONE) for model in (fp32, graph))
    done, total = count(1), starts * sum(len(clip.boxes) - 1 for clip in clips)
    runs = [
        [_follow(first, second, clip, shift, lambda: on_frame(next(done), total)) for clip in clips]
        for shift in map(start_shift, range(starts))
    ]
    return _summarise(runs, second, short_name(suite), len(clips), budget)


def _summarise(runs: list[list[_Run]], tested: Tracker, suite: str, clips: int, budget: float) -> Verdict:
    ratios = np.concatenate([run.ratios for row in runs for run in row])
    lower, median, upper = (float(value) for value in np.percentile(ratios, [25, 50, 75]))
    agreement = np.concatenate([run.agreement for row in runs for run in row])
    expected, got = (tuple(float(np.mean([run.auc[which] for run in row])) for row in runs) for which in (0, 1))
    return Verdict(
        precision=tested.model_spec.precision,
        suite=suite,
        clips=clips,
        frames=len(agreement),
        backend=tested.backend.name,
        success_auc_fp32=expected,
        success_auc=got,
        budget=budget,
        median_box_iou=float(np.median(agreement)),
        latency_ratio=(lower, median, upper),
    )


def check(verdict: Verdict, name: str) -> None:
    """Refuse a graph that tracks worse than its budget allows.

    Raises:
        GateFailed: The drop is larger.
    """
    if not verdict.is_passed:
        before, after = np.mean(verdict.success_auc_fp32), np.mean(verdict.success_auc)
        raise GateFailed(
            f"{name}: {verdict.precision} loses {verdict.drop_text} success AUC on {verdict.suite} "
            f"({before:.4f} to {after:.4f}), allowed {verdict.budget:g}",
            hint="nothing was written; calibrate on videos like your own (--calib), or write it anyway: --force",
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Run:
    auc: tuple[float, float]
    agreement: NDArray[np.float64]
    ratios: NDArray[np.float64]


def _follow(
    first: Tracker, second: Tracker, clip: Clip, shift: tuple[float, float], on_frame: Callable[[], None]
) -> _Run:
    boxes: tuple[list[Box], list[Box]] = ([], [])
    ratios: list[float] = []
    for index, frame in enumerate(clip.read()):
        if index == 0:
            x, y, w, h = (float(value) for value in clip.boxes[0] + [*shift, 0, 0])
            for tracker, found in zip((first, second), boxes, strict=True):
                tracker.init(frame, part_in_frame((x, y, w, h), *frame_size(frame)))
                found.append((x, y, w, h))
            continue
        if index == len(clip.boxes):
            break
        # Alternate: the second one finds a warm cache.
        seen = [first.update(frame), second.update(frame)] if index % 2 else [second.update(frame), first.update(frame)]
        one, two = seen if index % 2 else seen[::-1]
        boxes[0].append(one.box)
        boxes[1].append(two.box)
        if one.latency_ms.infer and two.latency_ms.infer:
            ratios.append(two.latency_ms.infer / one.latency_ms.infer)
        on_frame()
    rows = [np.array(found) for found in boxes]
    auc = [_success_auc(row, clip) for row in rows]
    return _Run((auc[0], auc[1]), iou(rows[1], rows[0])[1:], np.array(ratios))


def _rounded(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_rounded(each) for each in value]
    return round(value, 5) if isinstance(value, float) else value


def _success_auc(boxes: NDArray[np.float64], clip: Clip) -> float:
    return score_sequence(boxes + _FIRST_PIXEL, clip.boxes + _FIRST_PIXEL, protocol("otb")).success_auc
