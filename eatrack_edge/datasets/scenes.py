"""Synthetic scenes in which the target is lost and comes back, with known truth; nothing is read from disk.

| sequence | what happens after three seconds |
|---|---|
| ``leave-SEED`` | the camera turns away for two seconds, until the target has left the picture |
| ``cover-SEED`` | the target drives under a bridge that hides all of it for two seconds |
| ``cut-SEED`` | the picture is of another place for two seconds |
| ``lookalikes-SEED`` | nothing: four cars like the target drive before and behind it all the time |
| ``leave_lookalikes-SEED``, ``cover_lookalikes-SEED`` | both |

A target of which less than a tenth can be seen is absent.
"""

from __future__ import annotations

from functools import lru_cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eatrack_edge.datasets.frame_sets import SceneFrames
from eatrack_edge.datasets.sequence import Dataset, Sequence, make_sequence
from eatrack_edge.sources.synthetic import SyntheticSource

FPS = 30
SEEDS = range(1, 6)
_LEAST_VISIBLE = 0.1
_SETTINGS = f"frames=270&width=480&height=360&fps={FPS}"
_EVENTS = {
    "leave": "leave=90",
    "cover": "cover=90",
    "cut": "cut=90",
    "lookalikes": "lookalikes=4",
    "leave_lookalikes": "leave=90&lookalikes=4",
    "cover_lookalikes": "cover=90&lookalikes=4",
}


def scenes(root: Path) -> Dataset:
    """All scenes, five worlds for each kind of event.

    Args:
        root: Not read; every dataset has one.
    """
    del root
    return Dataset("scenes", {f"{event}-{seed}": partial(_read, event, seed) for event in _EVENTS for seed in SEEDS})


def _read(event: str, seed: int) -> Sequence:
    uri = f"test://?seed={seed}&{_SETTINGS}&{_EVENTS[event]}"
    attributes = tuple(event.replace("leave", "out of view").replace("cover", "full occlusion").split("_"))
    return make_sequence(
        "scenes",
        f"{event}-{seed}",
        SceneFrames(uri),
        _truth(uri),
        first_pixel=0,
        attributes=attributes,
        frame_size=(480, 360),
        fps=FPS,
    )


@lru_cache(maxsize=64)
def _truth(uri: str) -> NDArray[np.float64]:
    """True boxes, shape (N, 4); ``nan`` where the target cannot be seen. Paints the world, which takes a second."""
    with SyntheticSource.from_uri(uri) as source:
        assert source.truth is not None  # a scene always knows it
        boxes = source.truth.copy()
        boxes[source.visible < _LEAST_VISIBLE] = np.nan
    return boxes
