from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from eatrack_edge.sources.base import BaseSource, SourceFrame
from eatrack_edge.sources.feed import EveryFrame, LiveFrame, SourceEnd
from eatrack_edge.sources.realtime import RealtimeSource
from eatrack_edge.sources.registry import open_source
from sources.simulated_links import threads

SCENE = "test://?width=96&height=96&frames=30&fps=60"


def test_a_file_is_played_at_its_own_speed(video: Path) -> None:
    begin = time.monotonic()
    with RealtimeSource(open_source(str(video))) as source:
        taken = list(source)
    assert 0.9 < time.monotonic() - begin < 5
    assert sum(1 + item.dropped for item in taken) == 30
    assert taken[-1].index == 29


def test_a_busy_consumer_gets_the_newest_frame_with_the_files_own_number_and_truth() -> None:
    with RealtimeSource(open_source(SCENE)) as source:
        assert (source.size, source.fps, source.frame_count) == ((96, 96), 60.0, 30)
        taken = []
        for item in source:
            taken.append(item)
            time.sleep(0.06)
    assert 3 <= len(taken) < 15
    assert all(item.pts_s == pytest.approx(item.index / 60) for item in taken)
    assert all(item.truth is not None for item in taken)
    assert taken[-1].index == 29


class TwoFrames(BaseSource):
    """Frames a minute apart."""

    def __iter__(self) -> Iterator[SourceFrame]:
        for index in range(2):
            yield SourceFrame(index, 60.0 * index, np.zeros((8, 8, 3), np.uint8))


def test_closing_does_not_wait_for_the_time_of_the_next_frame() -> None:
    before = threads()
    source = RealtimeSource(TwoFrames("two", (8, 8)))
    next(iter(source))
    begin = time.monotonic()
    source.close()
    assert time.monotonic() - begin < 2
    assert threads() == before


def test_without_realtime_every_frame_is_delivered() -> None:
    feed, items = EveryFrame(open_source(SCENE)), []
    while not isinstance(item := feed.next(0), SourceEnd):
        assert isinstance(item, LiveFrame)
        items.append(item)
    assert [item.index for item in items] == list(range(30))
    assert {item.dropped for item in items} == {0}
