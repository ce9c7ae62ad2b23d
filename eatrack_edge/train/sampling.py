"""A training sample: two templates and one search crop of a target, and where it is.

A sample is a function of the seed and its index alone. So a run that stops and goes on sees the samples it would
have seen, and processes share the work by taking every other index.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import NamedTuple, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from eatrack_edge.core.crops import Frame
from eatrack_edge.core.model_spec import IMAGENET_MEAN_RGB, IMAGENET_STD_RGB
from eatrack_edge.train import augment, hard_cases
from eatrack_edge.train.augment import AugmentRecipe, CropBox
from eatrack_edge.train.pool import Pool, Sighting
from eatrack_edge.train.warp import Pose, warp

PADDING_BGR = (104, 116, 124)  # ImageNet's mean colour, as the runtime pads


@dataclass(frozen=True, slots=True)
class SamplingRecipe:
    """How a target lies in its crops. Lengths are in px of the crop where the target is nominally 64 px."""

    template_factor: float = 2.0  # template crop side / sqrt(w*h)
    search_factor: float = 4.0  # search crop side / sqrt(w*h) of the last box
    # Log-uniform: with the study's narrower normal jitter the size followed the truth with slope 0.47 only, and in
    # closed loop the crop shrank.
    scale_jitter: float = 0.6  # largest log of the target's scale in the search crop
    steady_scale: float = 0.3  # share of samples with a small scale error instead, as in a closed loop that holds
    steady_scale_jitter: float = 0.12  # standard deviation of the log scale of those
    centre_jitter: float = 0.35  # standard deviation of the target's displacement, in nominal sides: frame to frame
    fast_motion: float = 0.2  # share of samples with a uniform displacement instead
    fast_motion_reach: float = 1.6  # largest such displacement, in nominal sides; 1.75 is the crop's border
    first_template_jitter: float = 0.03  # of the first template's centre and log scale: a hand-drawn box is not exact
    second_centre_jitter: float = 0.1  # of the second's centre, in sides: it is cut about a predicted box
    second_scale_jitter: float = 0.08  # of its log scale
    # Of the log aspect of the box that the network is told: a first box is drawn with care, a second one predicted.
    first_told_aspect: float = 0.05
    second_told_aspect: float = 0.15
    equal_templates: float = 0.1  # share of samples with the first template in both slots, as at `init`
    mirror: float = 0.5  # share mirrored, all three crops together
    aspect_jitter: float = 0.08  # standard deviation of the log aspect, of clips; stills take twice that
    still_rotation: float = 12.0  # degrees, largest, for stills: their only motion
    clip_rotation: float = 4.0  # degrees, largest, for clips
    still_tilt: float = 0.12  # largest perspective term of stills
    absent: float = 0.04  # share of searches without the target, so that a low score comes to mean "not here"


class Sample(NamedTuple):
    """One sample, or with a leading dimension B a batch of them."""

    templates: Tensor  # (2, Z, Z, 3) uint8 BGR
    search: Tensor  # (X, X, 3) uint8 BGR
    box: Tensor  # (4,) float32: cx, cy, w, h as fractions of the search crop
    extents: Tensor  # (2, 2) float32: width and height of each template's box as the network is told, fractions
    template_boxes: Tensor  # (2, 4) float32: where the target really is, as ``box``, in each template
    is_present: Tensor  # () float32: 1, or 0 where the search does not show the target


class Sampler:
    """Makes samples by index.

    Args:
        pool: Where targets come from.
        sampling: How they lie in their crops.
        hard: What is done to the crops.
        template_size: px.
        search_size: px.
        seed: Of the whole run.
    """

    def __init__(
        self, pool: Pool, sampling: SamplingRecipe, hard: AugmentRecipe, template_size: int, search_size: int, seed: int
    ) -> None:
        self.pool = pool
        self.sampling = sampling
        self.hard = hard
        self.template_size = template_size
        self.search_size = search_size
        self.seed = seed

    def sample(self, index: int) -> Sample:
        """The sample of this index, from 0; there is no last one."""
        rng = np.random.default_rng((self.seed, index))
        first, second, search, is_still = self.pool.draw(rng)
        is_mirrored = bool(rng.random() < self.sampling.mirror)
        is_grey = bool(rng.random() < self.hard.grey)
        one, one_told, one_box = self._template(first, False, is_mirrored, is_still, rng)
        if rng.random() < self.sampling.equal_templates:
            two, two_told, two_box = one, one_told, one_box
        else:
            two, two_told, two_box = self._template(second, True, is_mirrored, is_still, rng)
        is_present = bool(rng.random() >= self.sampling.absent)
        elsewhere = None if is_present else self.pool.draw_other(first, rng)
        # Data of a single scene has no search without the target: it is taken out of its own.
        is_taken_out = not is_present and elsewhere is None
        crop, box, is_hidden = self._search(elsewhere or search, first, is_taken_out, is_mirrored, is_still, rng)
        crops = [augment.grey(each) if is_grey else each for each in (one, two, crop)]
        if _happens(self.hard.thermal, rng):
            look = hard_cases.draw_thermal_look(rng)
            crops = [hard_cases.thermal(each, look, rng) for each in crops]
        return Sample(
            torch.from_numpy(np.stack(crops[:2])),
            torch.from_numpy(np.ascontiguousarray(crops[2])),
            torch.from_numpy(box / self.search_size),
            torch.tensor([one_told, two_told]),
            torch.from_numpy(np.stack([one_box, two_box]) / self.template_size),
            torch.tensor(float(is_present and not is_hidden)),
        )

    def batch(self, indices: range) -> Sample:
        """Samples of several indices, stacked."""
        return collate([self.sample(index) for index in indices])

    def _template(
        self, sighting: Sighting, is_predicted: bool, is_mirrored: bool, is_still: bool, rng: np.random.Generator
    ) -> tuple[Frame, tuple[float, float], CropBox]:
        """A template crop, the extent that the network is told, and where the target really is in it."""
        recipe = self.sampling
        side = self.template_size / recipe.template_factor
        moved = recipe.second_centre_jitter if is_predicted else recipe.first_template_jitter
        scaled = recipe.second_scale_jitter if is_predicted else recipe.first_template_jitter
        log_scale = float(np.clip(rng.normal(0, scaled), -0.5, 0.5))
        shift = np.clip(rng.normal(0, moved, 2), -0.35, 0.35) * side
        pose = self._pose(sighting, side, log_scale, self.template_size / 2 + shift, is_mirrored, is_still, rng)
        crop, box = self._cut(sighting, sighting, pose, self.template_size, rng)
        crop = augment.photometric(crop, self.hard, rng)
        spread = recipe.second_told_aspect if is_predicted else recipe.first_told_aspect
        told = extent(box[2] / box[3] * math.exp(rng.normal(0, spread)), recipe.template_factor)
        return augment.camera(crop, side, self.hard, rng), told, box

    def _search(
        self,
        sighting: Sighting,
        target: Sighting,
        is_taken_out: bool,
        is_mirrored: bool,
        is_still: bool,
        rng: np.random.Generator,
    ) -> tuple[Frame, CropBox, bool]:
        """A search crop, the box of what is in its middle, and whether that is hidden or gone.

        Args:
            sighting: What the crop shows: the target, or another one where the target is absent.
            target: What the templates show, and nothing that is laid into the crop may.
            is_taken_out: Take what it shows out of it.
            is_mirrored: See ``_pose``.
            is_still: See ``_pose``.
            rng: Source of chance.
        """
        recipe = self.sampling
        nominal = self.search_size / recipe.search_factor
        if rng.random() < recipe.steady_scale:
            largest = recipe.scale_jitter
            log_scale = float(np.clip(rng.normal(0, recipe.steady_scale_jitter), -largest, largest))
        else:
            log_scale = float(rng.uniform(-recipe.scale_jitter, recipe.scale_jitter))
        if rng.random() < recipe.fast_motion:
            moved = rng.uniform(-recipe.fast_motion_reach, recipe.fast_motion_reach, 2)
        else:
            moved = np.clip(rng.normal(0, recipe.centre_jitter, 2), -recipe.fast_motion_reach, recipe.fast_motion_reach)
        is_return = _happens(self.hard.returns, rng)
        if is_return:
            moved = np.array(hard_cases.draw_return(rng))
        centre = self.search_size / 2 + moved * nominal
        pose = self._pose(sighting, nominal, log_scale, centre, is_mirrored, is_still, rng)
        crop, box = self._cut(sighting, target, pose, self.search_size, rng)
        is_gone = _happens(self.hard.exits, rng) or is_taken_out
        alone, companion, place = crop, None, augment.place_look_alike
        if is_return:
            companion, place = self.pool.draw_alike(target, rng), hard_cases.look_alike_in_the_middle
        elif is_gone or rng.random() < self.hard.look_alike:
            companion = self._companion(sighting, target, is_mirrored, rng)
        if companion is not None:
            crop = place(crop, box, _target_alone(companion), rng)
        is_hidden = bool(rng.random() < self.hard.hidden)
        if (is_gone or is_hidden) and companion is not None and _is_same(companion, target):
            crop = alone  # the look-alike is the target once more
        if is_gone:
            crop = hard_cases.remove_target(crop, box, rng)
        elif is_hidden:
            crop = augment.hide(crop, box, self._backdrop(target, rng), rng)
        elif rng.random() < self.hard.occluder:
            crop = augment.occlude(crop, box, self._backdrop(target, rng), rng)
        crop = augment.photometric(crop, self.hard, rng)
        return augment.camera(crop, nominal * math.exp(log_scale), self.hard, rng), box, is_hidden or is_gone

    def _backdrop(self, target: Sighting, rng: np.random.Generator) -> Frame | None:
        """Another scene's picture; ``None`` where there is no other scene."""
        other = self.pool.draw_other(target, rng)
        return None if other is None else other.picture

    def _companion(
        self, sighting: Sighting, target: Sighting, is_mirrored: bool, rng: np.random.Generator
    ) -> Sighting | None:
        """Another target than ``target`` or, as the hardest look-alike there is, ``sighting`` the other way round."""
        if _happens(self.hard.look_alike_same_source, rng):
            return self.pool.draw_alike(target, rng)
        if rng.random() >= self.hard.look_alike_itself:
            return self.pool.draw_other(target, rng)
        if is_mirrored:
            return sighting
        x, y, w, h = sighting.box
        flipped = cast("Frame", np.ascontiguousarray(sighting.picture[:, ::-1]))
        return replace(sighting, picture=flipped, box=(flipped.shape[1] - x - w, y, w, h))

    def _pose(
        self,
        sighting: Sighting,
        side: float,
        log_scale: float,
        centre: NDArray[np.float64],
        is_mirrored: bool,
        is_still: bool,
        rng: np.random.Generator,
    ) -> Pose:
        """A pose that shows the target ``side * exp(log_scale)`` large, with the small motions of its kind."""
        recipe = self.sampling
        _, _, w, h = sighting.box
        turn = math.radians(recipe.still_rotation if is_still else recipe.clip_rotation)
        tilt = recipe.still_tilt if is_still else 0.0
        return Pose(
            centre=(float(centre[0]), float(centre[1])),
            scale=side * math.exp(log_scale) / math.sqrt(w * h),
            rotation=float(rng.uniform(-turn, turn)),
            stretch=float(rng.normal(0, recipe.aspect_jitter * (2 if is_still else 1))),
            tilt=(float(rng.uniform(-tilt, tilt)), float(rng.uniform(-tilt, tilt))),
            is_mirrored=is_mirrored,
        )

    def _cut(
        self, sighting: Sighting, target: Sighting, pose: Pose, size: int, rng: np.random.Generator
    ) -> tuple[Frame, CropBox]:
        crop, shown = warp(sighting, pose, size, PADDING_BGR)
        if rng.random() < self.hard.background and shown.min() < 128:
            behind = self._backdrop(target, rng)
            crop = crop if behind is None else augment.fill_padding(crop, shown, behind)
        return crop, pose.box_in_crop(sighting.box[2], sighting.box[3])


def _is_same(one: Sighting, other: Sighting) -> bool:
    return (one.source, one.name) == (other.source, other.name)


def _happens(share: float, rng: np.random.Generator) -> bool:
    """Whether a hard case comes now; where it never does, no chance is drawn: older recipes keep their samples."""
    return bool(share and rng.random() < share)


def extent(aspect: float, factor: float) -> tuple[float, float]:
    """Width and height, as fractions of the crop, of a box of this width over height that a crop was cut about."""
    root = math.sqrt(aspect)
    return root / factor, 1 / (root * factor)


def collate(samples: list[Sample]) -> Sample:
    """Stack samples into a batch."""
    return Sample(*(torch.stack(parts) for parts in zip(*samples, strict=True)))


def normalised(crops: Tensor) -> Tensor:
    """Crops (..., S, S, 3) uint8 BGR to the network's input (..., 3, S, S) float32 RGB."""
    mean = torch.tensor(IMAGENET_MEAN_RGB, device=crops.device)
    std = torch.tensor(IMAGENET_STD_RGB, device=crops.device)
    return ((crops.flip(-1).float() / 255 - mean) / std).movedim(-1, -3)


def _target_alone(sighting: Sighting) -> Frame:
    """The part of a picture inside its box; the whole picture where the box leaves nothing."""
    height, width = sighting.picture.shape[:2]
    x, y, w, h = sighting.box
    x1, y1 = max(0, math.floor(x)), max(0, math.floor(y))
    x2, y2 = min(width, math.ceil(x + w)), min(height, math.ceil(y + h))
    part = sighting.picture[y1:y2, x1:x2]
    return part if part.size else sighting.picture
