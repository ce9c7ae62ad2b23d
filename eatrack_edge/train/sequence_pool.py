"""Triplets from datasets of whole frames: GOT-10k, LaSOT, TrackingNet, COCO, and folders of your own.

Frames stay on disk and are read when drawn: such data does not fit into memory.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from eatrack_edge.core.boxes import Box
from eatrack_edge.core.crops import Frame
from eatrack_edge.core.errors import ConfigError, InputError, did_you_mean
from eatrack_edge.datasets.annotations import read_boxes
from eatrack_edge.datasets.frame_sets import ImageFrames
from eatrack_edge.datasets.registry import open_dataset
from eatrack_edge.datasets.sequence import numbered_images
from eatrack_edge.train.pool import Chooser, Sighting, Triplet, three_moments

_REACH = 5.0  # sqrt(w*h) of a frame's part that is kept about the target: more than any search crop shows
_LEAST_SIDE = 4.0  # px; COCO's smallest boxes show nothing that could be told again


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """One target over time.

    Attributes:
        name: For messages.
        paths: Of the frames in which it is seen.
        boxes: Of it, (x, y, w, h) with the first pixel at 0, shape (N, 4).
        times: Of the frames, rising, shape (N,).
        scene: The same for targets that may be seen in each other's frames.
    """

    name: str
    paths: tuple[Path, ...]
    boxes: NDArray[np.float64]
    times: tuple[int, ...]
    scene: str

    def sighting(self, place: int) -> Sighting:
        """The target at one moment, with what a crop can show of the frame.

        Raises:
            InputError: The frame cannot be read.
        """
        frame = cv2.imread(str(self.paths[place]), cv2.IMREAD_COLOR)
        if frame is None:
            raise InputError(f"{self.paths[place]}: cannot be read as a picture")
        x, y, w, h = (float(value) for value in self.boxes[place])
        reach = math.ceil(_REACH * math.sqrt(w * h)) + 1
        left, top = max(0, math.floor(x + w / 2) - reach), max(0, math.floor(y + h / 2) - reach)
        part = frame[top : math.ceil(y + h / 2) + reach, left : math.ceil(x + w / 2) + reach]
        return Sighting(cast("Frame", part), (x - left, y - top, w, h), _REACH, name=self.name, scene=self.scene)


class SequencePool:
    """Tracks, each drawn equally often.

    Args:
        tracks: At least one.
        largest_gap: Frames between the moments of a triplet at most.

    Raises:
        ConfigError: There are no tracks.
    """

    def __init__(self, tracks: Sequence[Track], largest_gap: int = 200) -> None:
        self._tracks = tracks
        self._chooser = Chooser([1.0] * len(tracks))
        self._largest_gap = largest_gap

    def draw(self, rng: np.random.Generator) -> Triplet:
        """Three moments of a track; a track of one frame is a still."""
        track = self._tracks[self._chooser.choose(rng)]
        if len(track.paths) == 1:
            sighting = track.sighting(0)
            return Triplet(sighting, sighting, sighting, is_still=True)
        places = three_moments(track.times, self._largest_gap, rng)
        first, second, search = (track.sighting(place) for place in places)
        return Triplet(first, second, search, is_still=False)

    def draw_other(self, than: Sighting, rng: np.random.Generator) -> Sighting | None:
        """One moment of a track of another scene; ``None`` where there is no other scene."""
        place = self._chooser.choose_other(rng, lambda place: self._tracks[place].scene != than.scene)
        if place is None:
            return None
        track = self._tracks[place]
        return track.sighting(int(rng.integers(len(track.paths))))

    def draw_alike(self, sighting: Sighting, rng: np.random.Generator) -> Sighting | None:
        """One moment of a track of another scene: these layouts name no sources."""
        return self.draw_other(sighting, rng)


def read_tracks(layout: str, root: Path) -> list[Track]:
    """The tracks of a dataset on disk.

    Args:
        layout: ``got10k``, ``lasot``, ``trackingnet``, ``coco`` or ``images``.
        root: The dataset's own root, or that of one split.

    Raises:
        ConfigError: There is no such layout.
        InputError: The folder is not laid out so, or holds no target.
    """
    if layout not in LAYOUTS:
        hint = did_you_mean(layout, ("shards", "synthetic", *LAYOUTS), "known layouts: {}")
        raise ConfigError(f"unknown layout `{layout}`", hint=hint)
    if not root.is_dir():
        raise InputError(f"expected the {layout} data at {root}, there is no such folder")
    tracks = [track for track in LAYOUTS[layout](root) if len(track.paths)]
    if not tracks:
        raise InputError(f"{root}: no {layout} target is seen in any frame")
    return tracks


def _from_dataset(kind: str) -> Callable[[Path], Iterable[Track]]:
    def read(root: Path) -> Iterable[Track]:
        for sequence in open_dataset(kind, root):
            if isinstance(sequence.frames, ImageFrames):
                yield _seen(f"{kind}/{sequence.name}", sequence.frames.paths, sequence.boxes)

    return read


def _trackingnet(root: Path) -> Iterable[Track]:
    """``TRAIN_N/anno/NAME.txt`` beside ``TRAIN_N/frames/NAME/0.jpg``, or one such split."""
    annotations = sorted([*root.glob("TRAIN_*/anno/[!.]*.txt"), *root.glob("anno/[!.]*.txt")])
    if not annotations:
        raise InputError(f"expected annotations at {root / 'TRAIN_0' / 'anno' / 'NAME.txt'}, found none")
    for path in annotations:
        frames = tuple(numbered_images(path.parent.parent / "frames" / path.stem).values())
        boxes = read_boxes(path)
        if len(frames) != len(boxes):
            raise InputError(f"trackingnet/{path.stem}: {len(frames)} frames but {len(boxes)} true boxes")
        video, _, number = path.stem.rpartition("_")  # several targets of one video are NAME_0, NAME_1, ...
        scene = video if video and number.isdigit() else path.stem
        yield _seen(f"trackingnet/{path.stem}", frames, boxes, scene=f"trackingnet/{scene}")


def _coco(root: Path) -> Iterable[Track]:
    """``annotations/instances_train2017.json`` beside ``train2017/``; every object is a track of one frame."""
    found = sorted(root.glob("annotations/instances_train*.json"))
    if not found:
        raise InputError(f"expected an annotation at {root / 'annotations' / 'instances_train2017.json'}, found none")
    table = json.loads(found[0].read_text(encoding="utf-8"))
    folder = root / found[0].stem.removeprefix("instances_")
    if not folder.is_dir():
        folder = root / "images" / folder.name
    names = {image["id"]: image["file_name"] for image in table["images"]}
    boxes: dict[int, list[Box]] = defaultdict(list)
    for row in table["annotations"]:
        if not row.get("iscrowd", 0):
            boxes[row["image_id"]].append(tuple(row["bbox"]))
    for image, held in boxes.items():
        for place, box in enumerate(held):
            name, path = f"coco/{names[image]}", folder / names[image]
            yield _seen(f"{name}#{place}", (path,), np.array([box], np.float64), scene=name)


def _seen(name: str, paths: Sequence[Path], boxes: NDArray[np.float64], scene: str = "") -> Track:
    """A track of the frames in which the target is seen and not tiny."""
    places = [int(place) for place in np.flatnonzero((np.nan_to_num(boxes[:, 2:]) >= _LEAST_SIDE).all(axis=1))]
    return Track(name, tuple(paths[place] for place in places), boxes[places], tuple(places), scene or name)


LAYOUTS: dict[str, Callable[[Path], Iterable[Track]]] = {
    "got10k": _from_dataset("got10k"),
    "lasot": _from_dataset("lasot"),
    "images": _from_dataset("images"),
    "trackingnet": _trackingnet,
    "coco": _coco,
}
