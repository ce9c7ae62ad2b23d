"""Finds annotated clips: calibration cuts crops from them, and the tracking gate runs on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eatrack_edge.core.crops import Frame
from eatrack_edge.core.errors import InputError
from eatrack_edge.core.resources import resource_folder
from eatrack_edge.datasets.plain_folders import VIDEO_SUFFIXES, images, videos
from eatrack_edge.datasets.registry import DATASETS, open_dataset
from eatrack_edge.datasets.sequence import VISIBLE, Dataset, Sequence
from eatrack_edge.datasets.shards import ShardTarget, read_shards
from eatrack_edge.evaluation.frame_reading import open_frames
from eatrack_edge.evaluation.suite import load_suite
from eatrack_edge.sources.synthetic import SyntheticSource

CLIPS_HELP = "a video with NAME.txt beside it, a folder of such, KIND:PATH as `eval --dataset` takes them, or test://"
_SHARDS, _SCENE = "shards", "test://"


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """One target over time.

    Attributes:
        name: Of the sequence in its source.
        boxes: Of the target, pixels of its frame, the first pixel at 0, shape (N, 4); ``nan`` where absent.
        read: Opens the N frames, in order.
        is_video: Its frames are whole ones of one size, so that a tracker can follow the target through them.
    """

    name: str
    boxes: NDArray[np.float64]
    read: Callable[[], Iterator[Frame]]
    is_video: bool = True


def find_clips(spec: str, scenes: tuple[str, ...] = (_SCENE,)) -> list[Clip]:
    """The clips of a file, folder, dataset, suite or synthetic scene.

    Args:
        spec: One of ``CLIPS_HELP``; KIND may also be ``shards``, of training crops, or the name of a suite.
        scenes: Scenes that ``test://`` alone means.

    Raises:
        InputError: There is nothing with annotations.
        UsageError: A suite of that name needs data of another kind.
    """
    if spec.startswith(_SCENE):
        return [_scene(uri) for uri in (scenes if spec == _SCENE else (spec,))]
    kind, separator, root = spec.partition(":")
    if separator and kind == _SHARDS:
        return [_shard_clip(target) for target in read_shards(Path(root)) if target.clip]
    if separator and kind in DATASETS:
        return _clips(open_dataset(kind, Path(root)))
    if separator and kind in _suites():
        return _suite(kind, Path(root))
    return _plain(Path(spec))


def short_name(spec: str) -> str:
    """``spec`` without folders of this machine, for results that are published.

    >>> short_name("shards:data/train"), short_name("flights/boat.mp4"), short_name("test://?seed=3")
    ('shards:train', 'boat.mp4', 'test://?seed=3')
    """
    if spec.startswith(_SCENE):
        return spec
    kind, separator, root = spec.partition(":")
    if separator and kind in {_SHARDS, *DATASETS.names(), *_suites()}:
        return f"{kind}:{Path(root).name}"
    return Path(spec).name


def _suites() -> set[str]:
    return {path.stem for path in resource_folder("benchmarks/suites").glob("*.toml")}


def _suite(name: str, root: Path) -> list[Clip]:
    suite = load_suite(name)
    found = open_dataset(suite.kind, root, suite.first_pixel)
    return [_sequence(found.read(each)) for each in suite.sequences or found.names]


def _plain(path: Path) -> list[Clip]:
    if path.is_file():
        if path.suffix.lower() not in VIDEO_SUFFIXES or not path.with_suffix(".txt").is_file():
            raise InputError(
                f"{path}: expected a video with its boxes in {path.with_suffix('.txt').name}", hint=f"give {CLIPS_HELP}"
            )
        return [_sequence(videos(path.parent).read(path.stem))]
    if not path.is_dir():
        raise InputError(f"{path}: no such video, folder or dataset", hint=f"give {CLIPS_HELP}")
    holds_video = any(entry.suffix.lower() in VIDEO_SUFFIXES for entry in path.glob(VISIBLE))
    return _clips(videos(path) if holds_video else images(path))


def _clips(dataset: Dataset) -> list[Clip]:
    return [_sequence(sequence) for sequence in dataset]


def _sequence(sequence: Sequence) -> Clip:
    return Clip(sequence.name, sequence.boxes, partial(_sequence_frames, sequence))


def _sequence_frames(sequence: Sequence) -> Iterator[Frame]:
    with open_frames(sequence) as pictures:
        yield from pictures


def _shard_clip(target: ShardTarget) -> Clip:
    boxes = np.array([crop.box for crop in target.crops], np.float64)
    return Clip(f"{target.source}/{target.clip}", boxes, lambda: (crop.picture() for crop in target.crops), False)


def _scene(uri: str) -> Clip:
    source = SyntheticSource.from_uri(uri)
    truth = source.truth
    assert truth is not None  # the synthetic scene always has true boxes
    boxes = np.where(source.visible[:, None] > 0, truth, np.nan)
    return Clip(source.uri, boxes, lambda: (item.frame for item in SyntheticSource.from_uri(uri)))
