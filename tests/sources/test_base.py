from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from eatrack_edge.outputs.base import FrameRecord
from eatrack_edge.session.session import track
from eatrack_edge.sources.base import BaseSource, Source, SourceFrame
from eatrack_edge.tracking.tracker import Tracker
from tracking.simulated import SimulatedBackend, scene


class Three(BaseSource):
    """A source of one's own, as short as the documentation says."""

    closed = 0

    def __iter__(self) -> Iterator[SourceFrame]:
        for index in range(3):
            yield SourceFrame(index, index / self.fps, scene(160 + index, 120))

    def close(self) -> None:
        self.closed += 1


def test_a_source_that_only_reads_frames_is_tracked() -> None:
    source: Source = Three("three://a/b.raw", (320, 240))
    with source:
        records: list[FrameRecord] = [
            one.record for one in track(Tracker(SimulatedBackend()), source, (145.0, 110.0, 30.0, 20.0))
        ]
    assert [record.frame for record in records] == [0, 1, 2]
    assert (source.name, source.fps, source.frame_count, source.truth, source.rotation_applied) == (
        "b",
        30.0,
        None,
        None,
        0,
    )
    assert source.closed == 1  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("uri", "name"), [("ndi://", "ndi://"), ("videos/boat 1.mp4", "boat 1"), ("ndi://camera", "camera")]
)
def test_a_name_comes_from_the_uri_unless_it_is_given(uri: str, name: str) -> None:
    assert BaseSource(uri, (1, 1)).name == name
    assert BaseSource(uri, (1, 1), name="mine").name == "mine"


def test_without_frames_of_its_own_a_source_cannot_be_read() -> None:
    with pytest.raises(NotImplementedError):
        iter(BaseSource("x://", (1, 1)))
    assert np.size(BaseSource("x://", (1, 1)).size) == 2
