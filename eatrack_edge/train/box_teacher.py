"""Boxes from another tracker: where it agrees with a label, the label moves towards its box.

VitTrack, looking about our own box, is tighter than we are. It is shown the first crop of a clip and then each other
crop, with the labelled target in the same place and at the same size, and predicts a box. Where the two overlap enough,
the training box becomes a weighted mean of both: a soft target. Where they do not, the label stays, because there the
other tracker follows something else. Stills are left alone: a tracker shown one picture twice repeats the box it
was given.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from eatrack_edge.core.boxes import Box, iou
from eatrack_edge.core.errors import ConfigError
from eatrack_edge.datasets.shards import ShardCrop, ShardTarget
from eatrack_edge.evaluation.tracker_protocol import SingleObjectTracker
from eatrack_edge.evaluation.trackers import TrackerSpec, open_tracker
from eatrack_edge.train.clip_video import FRAME_SIDE, show

_SIDE = 64.0  # px of the frame, of the target: a search region of four sides is resampled once


@dataclass(frozen=True, slots=True)
class BoxTeacherRecipe:
    """Which tracker teaches, and how much its boxes count."""

    tracker: str = ""  # as `eval --tracker` calls it, e.g. "vittrack"; empty for none
    weights: str = ""  # folder with a folder of weights for each tracker
    least_overlap: float = 0.7  # with the label, from which they agree
    share: float = 0.5  # of the taught box in the mean; 1 replaces the label

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1 or not 0 < self.least_overlap <= 1:
            raise ConfigError("a box teacher's share must be in [0, 1] and its least_overlap in (0, 1]")


class Lesson(NamedTuple):
    """What the teacher predicts on one crop."""

    box: Box  # in pixels of the crop
    overlap: float  # with the label


def teach(
    targets: Sequence[ShardTarget], recipe: BoxTeacherRecipe, tracker: SingleObjectTracker | None = None
) -> list[ShardTarget]:
    """Targets whose clips have soft boxes; all as they were where no teacher is named.

    Args:
        targets: Clips and stills.
        recipe: Which teacher.
        tracker: The teacher, if it is open already.

    Raises:
        UsageError: No such tracker.
        InputError: Its weights are not where they should be.
    """
    if not recipe.tracker:
        return list(targets)
    tracker = tracker or open_tracker(TrackerSpec(recipe.tracker, baselines=recipe.weights))
    return [_taught(target, tracker, recipe) if len(target.crops) > 1 else target for target in targets]


def _taught(target: ShardTarget, tracker: SingleObjectTracker, recipe: BoxTeacherRecipe) -> ShardTarget:
    first, *rest = target.crops
    crops = [first]
    for crop in rest:
        lesson = predict(first, crop, tracker)
        agrees = lesson.overlap >= recipe.least_overlap
        crops.append(replace(crop, box=mean_box(crop.box, lesson.box, recipe.share)) if agrees else crop)
    return replace(target, crops=tuple(crops))


def predict(first: ShardCrop, crop: ShardCrop, tracker: SingleObjectTracker) -> Lesson:
    """Let the teacher take its template from ``first`` and find the target in ``crop``, looking about its label."""
    middle = (FRAME_SIDE / 2, FRAME_SIDE / 2)
    frame, box = show(first, _scale(first), middle)
    tracker.init(frame, box)
    scale = _scale(crop)
    frame, label = show(crop, scale, middle)
    x, y, w, h = tracker.update(frame).box
    found = (crop.box[0] + (x - label[0]) / scale, crop.box[1] + (y - label[1]) / scale, w / scale, h / scale)
    return Lesson(found, float(iou(np.array([found]), np.array([crop.box]))[0]))


def mean_box(label: Box, taught: Box, share: float) -> Box:
    """Centres by their mean, sides by their geometric mean, ``share`` of it the taught box's."""
    (x, y, w, h), (tx, ty, tw, th) = label, taught
    wide, high = w * (tw / w) ** share, h * (th / h) ** share
    cx = (1 - share) * (x + w / 2) + share * (tx + tw / 2)
    cy = (1 - share) * (y + h / 2) + share * (ty + th / 2)
    return cx - wide / 2, cy - high / 2, wide, high


def _scale(crop: ShardCrop) -> float:
    return _SIDE / math.sqrt(crop.box[2] * crop.box[3])
