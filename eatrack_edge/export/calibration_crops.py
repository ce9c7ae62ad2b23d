"""Cuts the crops that INT8 is calibrated on, as the tracker will cut them.

Activation ranges are only as good as the crops they were measured on. So template and search crops are cut from
annotated sequences by the model specification's own rule: the first template about an exact box, the second about a
predicted one, the search about the last predicted box, which is off by the target's motion and the last frame's error.
"""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from eatrack_edge.core.boxes import Box
from eatrack_edge.core.crops import CropWindow, Frame, cut
from eatrack_edge.core.errors import InputError
from eatrack_edge.core.model_spec import ModelSpec
from eatrack_edge.export.clips import Clip, find_clips, short_name
from eatrack_edge.scene.motion_blur import motion_kernel

PAIRS = 256
HELD_OUT = 48  # more pairs of the same clips, not calibrated on, to evaluate with
_SEED = 2026
_SCENES = tuple(f"test://?seed={seed}&frames=40" for seed in range(100, 106))
_LONGEST_CLIP = 60  # frames; a longer clip is drawn from as often as this
_HELD_OUT_SHARE = 8  # one clip in so many gives the held-out pairs, where there are as many clips
_BLURRED = 0.15  # share of searches with motion blur: a gimbal's shake
_LONGEST_BLUR = 11  # px of the crop
_FAST = 0.2  # share of searches with a uniform displacement up to _FAST_SHIFT instead of the usual one
_FAST_SHIFT = 1.2  # sides; 1.5 is the border of a search crop of factor 4


class Pair(NamedTuple):
    """A search crop and what the template slots show."""

    name: str  # clip and frames, e.g. ``boat1 0,25>31``
    templates: tuple[Frame, ...]  # one per slot, (Z, Z, 3) BGR
    extents: tuple[tuple[float, float], ...]  # one per slot: the target's width and height as fractions of that crop
    search: Frame  # (X, X, 3) BGR


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """What a graph was calibrated on, and what it can be evaluated on.

    Attributes:
        source: Where from, without folders.
        pairs: To calibrate on.
        held_out: To evaluate with.
    """

    source: str
    pairs: tuple[Pair, ...]
    held_out: tuple[Pair, ...]

    @property
    def sha256(self) -> str:
        """Of the names and pixels of ``pairs``: two calibrations on the same crops have the same."""
        digest = hashlib.sha256()
        for pair in self.pairs:
            digest.update(pair.name.encode())
            for crop in (*pair.templates, pair.search):
                digest.update(crop.tobytes())
        return digest.hexdigest()

    def record(self) -> dict[str, Any]:
        """Source, hash and list, for a file beside the graph and its metadata."""
        names = [pair.name for pair in self.pairs]
        return {"source": self.source, "pairs": len(names), "sha256": self.sha256, "list": names}


def read_calibration(spec: str, model_spec: ModelSpec, pairs: int = PAIRS) -> Calibration:
    """Cut the pairs; the same clips give the same pairs at every call.

    Args:
        spec: See ``clips.find_clips``.
        model_spec: Sizes, slots and the rule of cutting.
        pairs: How many to calibrate on; ``HELD_OUT`` more are kept apart.

    Raises:
        InputError: There are no clips, or none shows its target in two frames.
    """
    clips = [clip for clip in find_clips(spec, _SCENES) if _present(clip).size >= 2]
    if not clips:
        raise InputError(f"{short_name(spec)}: no clip shows its target in two frames", hint="give a longer video")
    rng = np.random.default_rng(_SEED)
    order = [int(place) for place in rng.permutation(len(clips))]
    apart = len(clips) // _HELD_OUT_SHARE
    held, used = order[:apart] or order, order[apart:]
    chosen = [*_draw(clips, used, pairs, rng), *_draw(clips, held, HELD_OUT, rng)]
    cut_pairs = _cut_all(clips, chosen, model_spec, rng)
    return Calibration(short_name(spec), tuple(cut_pairs[:pairs]), tuple(cut_pairs[pairs:]))


def _present(clip: Clip) -> NDArray[np.int64]:
    return np.flatnonzero((np.nan_to_num(clip.boxes[:, 2:]) > 0).all(axis=1))


def _draw(clips: Sequence[Clip], among: Sequence[int], count: int, rng: np.random.Generator) -> list[int]:
    """Places of clips, the longer the likelier: a clip of a few frames shows one pose."""
    weights = np.array([min(_present(clips[place]).size, _LONGEST_CLIP) for place in among], np.float64)
    return [int(place) for place in rng.choice(among, count, p=weights / weights.sum())]


class _Crop(NamedTuple):
    pair: int
    place: int  # template slot; -1 for the search
    window: CropWindow
    extent: tuple[float, float]  # of the box that it was cut about
    blur: NDArray[np.float32] | None


def _cut_all(
    clips: Sequence[Clip], chosen: Sequence[int], model_spec: ModelSpec, rng: np.random.Generator
) -> list[Pair]:
    """Plan every crop first, then read each clip once and keep only its crops: whole frames would fill the memory."""
    wanted: dict[int, dict[int, list[_Crop]]] = defaultdict(lambda: defaultdict(list))  # clip, frame
    names: list[str] = []
    for pair, clip in enumerate(chosen):
        names.append(_plan(clips[clip], pair, model_spec, wanted[clip], rng))
    crops: dict[tuple[int, int], tuple[Frame, tuple[float, float]]] = {}
    for clip, frames in wanted.items():
        last = max(frames)
        for index, frame in enumerate(clips[clip].read()):
            for crop in frames.get(index, ()):
                image = cut(frame, crop.window, model_spec.padding_bgr)
                if crop.blur is not None:
                    image = cast("Frame", cv2.filter2D(image, -1, crop.blur, borderType=cv2.BORDER_REPLICATE))
                crops[crop.pair, crop.place] = image, crop.extent
            if index == last:
                break
        else:
            raise InputError(f"{clips[clip].name}: ended before frame {last}, which has a true box")
    pairs = []
    for number, name in enumerate(names):
        templates, extents = zip(*(crops[number, slot] for slot in range(model_spec.template_slots)), strict=True)
        pairs.append(Pair(name, templates, extents, crops[number, -1][0]))
    return pairs


def _plan(
    clip: Clip, pair: int, model_spec: ModelSpec, frames: dict[int, list[_Crop]], rng: np.random.Generator
) -> str:
    """Choose the moments of one pair and where to cut in each."""
    present = _present(clip)
    rule = model_spec.cropping
    moments = sorted(int(place) for place in rng.choice(present, min(3, len(present)), replace=False))
    first, search = moments[0], moments[-1]
    slots = [first, *(moments[1:-1] or [first])][: model_spec.template_slots]
    for slot, moment in enumerate(slots):
        # The user draws the first box and the tracker predicts the second, which is less exact.
        box = _moved(clip.boxes[moment], *((0.03, 0.03) if slot == 0 else (0.1, 0.08)), rng)
        window = CropWindow.around(box, rule.template_factor, model_spec.template_size, rule.window)
        frames[moment].append(_Crop(pair, slot, window, window.extent(box), None))
    fast = rng.uniform(-_FAST_SHIFT, _FAST_SHIFT, 2) if rng.random() < _FAST else np.zeros(2)
    box = _moved(clip.boxes[search], 0.0 if fast.any() else 0.25, 0.15, rng, fast)
    window = CropWindow.around(box, rule.search_factor, model_spec.search_size, rule.window)
    is_blurred = rng.random() < _BLURRED
    blur = motion_kernel(rng.uniform(3, _LONGEST_BLUR), rng.uniform(0, math.pi)) if is_blurred else None
    frames[search].append(_Crop(pair, -1, window, window.extent(box), blur))
    return f"{clip.name} {','.join(map(str, slots))}>{search}"


def _moved(
    box: NDArray[np.float64],
    shift: float,
    scale: float,
    rng: np.random.Generator,
    by: NDArray[np.float64] | None = None,
) -> Box:
    """A box off by a normal shift, in its sides, and a normal log scale; and by ``by`` sides on top."""
    x, y, w, h = (float(value) for value in box)
    side = math.sqrt(w * h)
    dx, dy = rng.normal(0, shift, 2) + (0 if by is None else by) if shift or by is not None else (0.0, 0.0)
    grown = math.exp(float(np.clip(rng.normal(0, scale), -0.5, 0.5)))
    return x + w / 2 + dx * side - w * grown / 2, y + h / 2 + dy * side - h * grown / 2, w * grown, h * grown
