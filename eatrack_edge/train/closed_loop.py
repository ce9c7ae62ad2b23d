"""Closed-loop validation: the network under training tracks clips that are held out of training.

Pairs tell how well one crop is read. They do not tell whether a target is still followed fifty frames later, after its
neighbours came close and its own boxes moved the search region. This does, with the tracker that users run. See
``clip_video`` for what of these videos is real and what is synthetic.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eatrack_edge.core.boxes import Box, iou
from eatrack_edge.core.crops import Frame
from eatrack_edge.core.errors import ConfigError, InputError
from eatrack_edge.core.model_spec import ModelSpec
from eatrack_edge.datasets.shards import ShardTarget, read_shards
from eatrack_edge.model.eatrack import EATrack
from eatrack_edge.tracking.settings import NETWORK_ALONE
from eatrack_edge.tracking.tracker import Tracker
from eatrack_edge.train.clip_video import ClipVideo, choose_clips
from eatrack_edge.train.parallel import World, average_numbers
from eatrack_edge.train.recipe import ClosedLoopRecipe, DataRecipe
from eatrack_edge.train.shard_pool import split_held_out
from eatrack_edge.train.torch_backend import TorchBackend

COLUMNS = ("loop_success", "loop_failures", "loop_slope")
_LOST_BELOW = 0.1  # overlap
_LOST_FRAMES = 5  # in a row below it make a failure; the tracker then begins anew on the true box
_THRESHOLDS = np.linspace(0, 1, 21)  # of the success curve, OTB's
_LEAST_ZOOM = 0.03  # standard deviation of the log true size below which its slope is noise
# A network under training has no calibration yet, and the tracker's thresholds are of calibrated confidence. These
# are the middle of what nine runs were calibrated to (scale 2.0 to 3.3, shift 0.5 to 0.9).
_SCALE, _SHIFT = 2.6, 0.75


@dataclass(frozen=True, slots=True)
class VideoScore:
    """How one video was tracked.

    Attributes:
        success: Area under the success curve, [0, 1], the first frame left out; ``nan`` without a frame.
        failures: How often the target was lost.
        frames: That were scored.
        slope: Of log predicted over log true size on the frames that were tracked; ``nan`` if the size hardly changes.
    """

    success: float
    failures: int
    frames: int
    slope: float


class ClosedLoop:
    """The validation of one recipe.

    Args:
        videos: To be tracked.
        model_spec: Of the network's crops.
        every: Samples between two validations.
    """

    def __init__(self, videos: Sequence[ClipVideo], model_spec: ModelSpec, every: int) -> None:
        self.videos = videos
        self.every = every
        self._contract = replace(model_spec, confidence_scale=_SCALE, confidence_shift=_SHIFT)

    def is_due(self, done: int, batch: int) -> bool:
        """Whether the step that ended at ``done`` samples passed a multiple of ``every``."""
        return done % self.every < batch

    def validate(self, network: EATrack, among: World) -> dict[str, float]:
        """Track all videos, shared among the processes, every one of which has to call this.

        Returns:
            ``loop_success``, ``loop_failures`` (a thousand frames) and ``loop_slope`` (mean of the videos').
        """
        was_training = network.training
        tracker = Tracker(TorchBackend(network.eval(), self._contract), settings=NETWORK_ALONE)
        mine = self.videos[among.rank :: among.size]
        scores = [score for video in mine if (score := score_video(tracker, video)).frames]
        network.train(was_training)
        slopes = [score.slope for score in scores if math.isfinite(score.slope)]
        sums = {
            "videos": float(len(scores)),
            "success": math.fsum(score.success for score in scores),
            "failures": float(sum(score.failures for score in scores)),
            "frames": float(sum(score.frames for score in scores)),
            "slopes": float(len(slopes)),
            "slope": math.fsum(slopes),
        }
        means = average_numbers(sums, among)  # the count of processes cancels in what follows
        values = (
            means["success"] / max(means["videos"], 1e-9),
            1000 * means["failures"] / max(means["frames"], 1e-9),
            means["slope"] / means["slopes"] if means["slopes"] else math.nan,
        )
        return {name: round(value, 4) for name, value in zip(COLUMNS, values, strict=True)}


def open_closed_loop(recipe: ClosedLoopRecipe, data: DataRecipe, model_spec: ModelSpec) -> ClosedLoop | None:
    """The validation that a recipe asks for; ``None`` where it asks for none.

    Raises:
        ConfigError: The data holds out no clip that can be tracked.
        InputError: A folder does not hold shards.
    """
    if not recipe.every:
        return None
    clips = choose_clips(held_out_targets(data), recipe.clips)
    if not clips:
        raise ConfigError(
            "validate_closed_loop needs held-out clips, and the data holds out none",
            hint="name sources with clips in data.held_out_sources",
        )
    return ClosedLoop(make_videos(clips, recipe), model_spec, recipe.every)


def held_out_targets(data: DataRecipe) -> list[ShardTarget]:
    """Held-out clips and stills of every set of shards."""
    held: list[ShardTarget] = []
    for each in data.sets:
        if each.layout == "shards":
            targets = read_shards(Path(each.folder))
            held += split_held_out(targets, data.held_out_sources, data.held_out_every_clip, data.held_out_every_still)[
                1
            ]
    return held


def make_videos(clips: Sequence[ShardTarget], recipe: ClosedLoopRecipe) -> list[ClipVideo]:
    """Each clip at each stride; in a share of the clips a target of the same source passes by."""
    videos = []
    for place, clip in enumerate(clips):
        others = [other for other in clips if other.source == clip.source and other is not clip]
        has_other = others and (place + 1) * recipe.look_alikes % 1 < recipe.look_alikes - 1e-9 + (
            recipe.look_alikes >= 1
        )
        other = others[place % len(others)].crops[0] if has_other else None
        videos += [ClipVideo(clip, stride, recipe.frames, place, other) for stride in recipe.strides]
    return videos


def score_video(tracker: Tracker, video: ClipVideo) -> VideoScore:
    """Track a video, beginning anew on the true box after each failure."""
    truth: list[Box] = []
    predicted: list[Box] = []
    failures, lost, is_begun = 0, 0, False
    for frame, box in video.play():
        if not is_begun:
            is_begun = _begins(tracker, frame, box)
            continue
        found = tracker.update(frame).box
        truth.append(box)
        predicted.append(found)
        overlap = float(iou(np.array([found]), np.array([box]))[0])
        lost = lost + 1 if overlap < _LOST_BELOW else 0
        if lost == _LOST_FRAMES:
            failures, lost, is_begun = failures + 1, 0, False
    return summarise(np.array(predicted), np.array(truth), failures)


def _begins(tracker: Tracker, frame: Frame, box: Box) -> bool:
    """Whether the tracker could begin on a frame; not where the box shows one flat colour, such as a covered target."""
    try:
        tracker.init(frame, box)
    except InputError:
        return False
    return True


def summarise(predicted: NDArray[np.float64], truth: NDArray[np.float64], failures: int) -> VideoScore:
    """Score boxes (N, 4) against true ones."""
    if not len(truth):
        return VideoScore(math.nan, failures, 0, math.nan)
    overlaps = np.minimum(iou(predicted, truth), 1.0)  # rounding may exceed it
    success = float((overlaps[:, None] > _THRESHOLDS).mean())
    kept = overlaps >= _LOST_BELOW
    sizes, true_sizes = (np.log(boxes[kept, 2:]).mean(1) for boxes in (predicted, truth))
    if kept.sum() < 2 or true_sizes.std() < _LEAST_ZOOM:
        return VideoScore(success, failures, len(truth), math.nan)
    spread = true_sizes - true_sizes.mean()
    return VideoScore(success, failures, len(truth), float((spread * sizes).sum() / (spread**2).sum()))
