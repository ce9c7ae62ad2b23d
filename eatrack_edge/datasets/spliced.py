"""Spliced clips: a few seconds of another sequence in place of as many of a tracked one, whose truth comes for free.

While the other clip is shown the target is absent; after it the tracked clip goes on where it would be by then. So any
annotated videos become cases of losing and finding a target. Which frames are spliced depends on the seed, the case's
number and the annotations alone, so asking for more cases keeps the first ones as they are.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from eatrack_edge.core.errors import InputError
from eatrack_edge.core.ranges import check_ranges
from eatrack_edge.datasets.frame_rate import frame_rate
from eatrack_edge.datasets.frame_sets import FrameRange, ImageFrames, PlainFrames, SplicedFrames
from eatrack_edge.datasets.sequence import Dataset, Sequence

_TRACKED_S = 1.5  # seconds that are tracked before and after a splice, at least
_BEFORE_S, _AFTER_S = 2.0, 3.0  # and at most
_GOLDEN = (5**0.5 - 1) / 2
_PART = re.compile(r"_\d+$")


@dataclass(frozen=True, slots=True)
class Splice:
    """What is spliced into each sequence of a dataset."""

    seconds: float = 3.0  # length of a splice
    cases: int = 3  # clips made from each sequence
    seed: int = 0  # another one chooses other frames

    def __post_init__(self) -> None:
        check_ranges(self, {"seconds": "(0, inf)", "cases": "[1, inf)", "seed": "[0, inf)"})


def spliced(dataset: Dataset, splice: Splice) -> tuple[Dataset, list[str]]:
    """Splice clips of a dataset into each other.

    Args:
        dataset: At least two sequences of different videos. One that cannot be read stays in, to be reported.
        splice: What to splice.

    Returns:
        Clips named ``NAME-splice-1`` and so on, and the names of the sequences that are too short for one.

    Raises:
        InputError: No clip can be made.
    """
    found = {name: _with_rate(dataset, name) for name in dataset.names}
    readable = {name: known for name, known in found.items() if known}
    unreadable = [name for name, known in found.items() if not known]
    readers = {name: dataset.readers[name] for name in unreadable}
    too_short = []
    for name in readable:
        clips = _clips(name, readable, splice)
        readers |= {clip.name: partial(_itself, clip) for clip in clips}
        if not clips:
            too_short.append(name)
    if len(readers) == len(unreadable):
        raise InputError(
            f"no sequence of {dataset.kind} can be spliced with {splice.seconds:g} s of another",
            hint=f"it takes two videos, and {splice.seconds + 2 * _TRACKED_S:g} s of a target that is seen",
        )
    how = f"spliced-{splice.seconds:g}s" + (f"-seed-{splice.seed}" if splice.seed else "")
    return Dataset(f"{dataset.kind}-{how}", readers), too_short


def _with_rate(dataset: Dataset, name: str) -> tuple[Sequence, float] | None:
    """A sequence and its frame rate; ``None`` where it cannot be read, which the evaluation reports."""
    try:
        sequence = dataset.read(name)
        return sequence, frame_rate(sequence)
    except (InputError, OSError):
        return None


def _itself(clip: Sequence) -> Sequence:
    return clip


def _clips(name: str, readable: Mapping[str, tuple[Sequence, float]], splice: Splice) -> list[Sequence]:
    """The clips of one sequence, their splices spread over its length."""
    tracked, fps = readable[name]
    length = max(1, round(splice.seconds * fps))
    others = [other for other, _ in readable.values() if len(other) >= length and not _show_one_scene(tracked, other)]
    places = _places(tracked, fps, length)
    if not others or not len(places):
        return []
    clips = []
    offset = np.random.default_rng([splice.seed, zlib.crc32(name.encode())]).random()
    for case in range(splice.cases):
        random = np.random.default_rng([splice.seed, zlib.crc32(name.encode()), case])
        # Steps of the golden ratio spread any number of cases evenly over the sequence.
        begin = int(places[int((offset + case * _GOLDEN) % 1 * len(places))])
        other = others[int(random.integers(len(others)))]
        donor = FrameRange(_plain(other), int(random.integers(len(other) - length + 1)), length)
        clips.append(_clip(tracked, fps, begin, donor, f"{name}-splice-{case + 1}"))
    return clips


def _places(tracked: Sequence, fps: float, length: int) -> NDArray[np.int64]:
    """Frames at which a splice may begin: the target is seen at the clip's first frame, before, and on its return."""
    least = max(2, round(_TRACKED_S * fps))
    begins = np.arange(least, len(tracked) - length - least + 1)
    present = ~tracked.absent
    firsts = begins - np.minimum(begins, round(_BEFORE_S * fps))
    return begins[present[firsts] & present[begins - 1] & present[begins + length]]


def _clip(tracked: Sequence, fps: float, begin: int, donor: FrameRange, name: str) -> Sequence:
    first, back = max(0, begin - round(_BEFORE_S * fps)), begin + donor.count
    end = min(len(tracked), back + round(_AFTER_S * fps))
    truth = tracked.truth[first:end].copy()
    truth[begin - first : back - first] = np.nan
    frames = SplicedFrames(FrameRange(_plain(tracked), first, end - first), begin - first, donor)
    flagged = None if tracked.flagged is None else tracked.flagged[first:end]
    return replace(tracked, name=name, frames=frames, truth=truth, flagged=flagged, fps=fps)


def _plain(sequence: Sequence) -> PlainFrames:
    if isinstance(sequence.frames, SplicedFrames):
        raise InputError(f"{sequence.dataset}/{sequence.name}: it is spliced already")
    return sequence.frames


def _show_one_scene(one: Sequence, other: Sequence) -> bool:
    """Whether two sequences come from one video, so that one may show the other's target.

    They have one folder of images, or names that differ in their number or in a prefix: ``group2_2`` and
    ``uav123_group2_1``.
    """
    folders = [each.frames.paths[0].parent for each in (one, other) if isinstance(each.frames, ImageFrames)]
    if len(folders) == 2 and folders[0] == folders[1]:
        return True
    shorter, longer = sorted((_PART.sub("", one.name), _PART.sub("", other.name)), key=len)
    return longer == shorter or longer.endswith(f"_{shorter}")
