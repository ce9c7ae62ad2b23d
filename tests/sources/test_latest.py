from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from eatrack_edge.core.errors import MachineError, SourceLost
from eatrack_edge.sources import link
from eatrack_edge.sources.feed import FeedItem, LinkFound, LinkLost, LiveFrame, SourceEnd
from eatrack_edge.sources.latest import LiveSource
from eatrack_edge.sources.link import Link, LinkError, back_off
from eatrack_edge.sources.live_options import LiveOptions
from sources.simulated_links import SimulatedLink, StuckLink, threads

Opener = Callable[[], Link]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "_BACK_OFF_S", (0.01, 0.02))


def source_of(opener: Opener, *, reopen: bool = True, read_timeout_s: float = 2.0) -> LiveSource:
    options = LiveOptions(reopen=reopen, open_timeout_s=2.0, read_timeout_s=read_timeout_s)
    return LiveSource(opener, name="camera", uri="sim://camera", options=options)


def items_of(source: LiveSource, *kinds: type, within_s: float = 5.0) -> Iterator[FeedItem]:
    """Every item until one of each kind came, in that order."""
    deadline = time.monotonic() + within_s
    for kind in kinds:
        while True:
            assert time.monotonic() < deadline, f"no {kind.__name__} came"
            item = source.next(0.1)
            if item is not None:
                yield item
            if isinstance(item, kind):
                break


def ages(source: LiveSource, seconds: float, busy_s: float) -> list[float]:
    """Ages at which a consumer that needs ``busy_s`` a frame has finished with each."""
    found, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        item = source.next(1.0)
        if isinstance(item, LiveFrame):
            time.sleep(busy_s)
            found.append(item.age_ms())
    return found


def check_age_stays_flat(seconds: float, percent: float) -> None:
    with source_of(lambda: SimulatedLink(fps=30)) as source:
        measured = ages(source, seconds, busy_s=0.113)
        last = next(item for item in items_of(source, LiveFrame) if isinstance(item, LiveFrame))
        third = len(measured) // 3
        first, last_third = (np.percentile(part, percent) for part in (measured[:third], measured[-third:]))
        assert last_third <= first + 20
        # Every frame is accounted for: taken, dropped, or captured after the last one that was taken.
        assert last.index + 1 == len(measured) + 1 + (last.index - len(measured))
        assert source.dropped >= last.index - len(measured) > 0


def test_the_age_stays_flat_with_a_consumer_three_times_slower_than_the_camera() -> None:
    check_age_stays_flat(4, 50)  # of a dozen frames p95 is the worst one, and a busy machine's


@pytest.mark.slow
def test_the_age_stays_flat_for_a_minute() -> None:
    check_age_stays_flat(60, 95)


def test_every_dropped_frame_is_counted() -> None:
    with source_of(lambda: SimulatedLink(fps=200, count=100, reason=None), reopen=False) as source:
        taken = []
        for item in source:
            taken.append(item)
            time.sleep(0.02)
    assert sum(item.dropped for item in taken) + len(taken) == 100
    assert source.dropped == 100 - len(taken)
    assert [item.dropped for item in taken[1:]] == [int(step) - 1 for step in np.diff([item.index for item in taken])]


def test_a_frame_carries_the_time_at_which_it_was_captured() -> None:
    before = time.monotonic_ns()
    with source_of(lambda: SimulatedLink(fps=50)) as source:
        item = next(iter(source))
        assert before < item.captured_ns < time.monotonic_ns()
        assert item.pts_s == 0
        assert 0 <= item.age_ms() < 2000


def test_a_link_that_dies_is_reopened_and_frames_go_on_counting() -> None:
    opened = []

    def opener() -> Link:
        opened.append(SimulatedLink(fps=100, count=3))
        return opened[-1]

    with source_of(opener) as source:
        items = list(items_of(source, LinkFound, LinkLost, LinkFound, LinkLost, LinkFound))
        lost = next(item for item in items if isinstance(item, LinkLost))
        assert lost.reason == "unplugged"
        assert [type(item) for item in items if not isinstance(item, LiveFrame)] == [
            *(LinkFound, LinkLost, LinkFound, LinkLost, LinkFound)
        ]
        numbers = [item.index for item in items if isinstance(item, LiveFrame)]
        assert numbers == sorted(set(numbers))
        assert max(numbers) >= 3
    assert all(one.is_closed for one in opened)


def test_a_source_that_returns_with_another_size_says_so_before_its_first_frame() -> None:
    sizes = iter(((64, 48), (96, 54)))
    with source_of(lambda: SimulatedLink(fps=100, count=3, size=next(sizes))) as source:
        items = list(items_of(source, LinkFound, LinkLost, LinkFound))
    assert [item.size for item in items if isinstance(item, LinkFound)] == [(64, 48), (96, 54)]


def test_an_absent_source_is_reported_once_and_tried_again_until_it_is_there() -> None:
    attempts = []

    def opener() -> Link:
        attempts.append(time.monotonic())
        if len(attempts) < 5:
            raise LinkError("connection refused")
        return SimulatedLink(fps=100)

    with source_of(opener) as source:
        lost, found, _frame = items_of(source, LinkLost, LinkFound, LiveFrame)
    assert isinstance(lost, LinkLost)
    assert lost.reason == "connection refused"
    assert isinstance(found, LinkFound)
    assert found.outage_s > 0


def test_a_source_that_is_not_reopened_ends_with_an_error_of_its_own_exit_code() -> None:
    source = source_of(lambda: SimulatedLink(fps=100, count=2), reopen=False)
    with source, pytest.raises(SourceLost) as caught:
        list(source)
    assert str(caught.value) == "sim://camera: unplugged\nhint: see that it is there, and start again"
    assert caught.value.exit_code == 5


def test_what_no_attempt_can_mend_ends_the_run_at_once() -> None:
    def opener() -> Link:
        raise MachineError("no such element")

    with source_of(opener) as source, pytest.raises(MachineError, match="no such element"):
        list(source)


def test_a_bug_of_a_reader_ends_the_run_and_says_so() -> None:
    def opener() -> Link:
        raise KeyError("pts")

    with source_of(opener) as source, pytest.raises(SourceLost, match=r"the reader failed: KeyError\('pts'\)"):
        list(source)


def test_a_reader_that_hangs_past_its_own_timeout_is_noticed_and_found_again() -> None:
    stuck = StuckLink()
    with source_of(lambda: stuck, read_timeout_s=0.1) as source:
        *_, lost = items_of(source, LiveFrame, LinkLost)
        assert isinstance(lost, LinkLost)
        assert lost.reason.endswith("and the reader does not answer")
        stuck.let_go.set()
        *_, found, _frame = items_of(source, LinkFound, LiveFrame)
        assert isinstance(found, LinkFound)


def test_the_size_is_known_before_the_first_frame_is_taken_and_costs_none() -> None:
    with source_of(lambda: SimulatedLink(fps=50, count=5, reason=None, size=(96, 64)), reopen=False) as source:
        assert source.size == (96, 64)
        assert source.fps == 50
        assert [type(item) for item in (source.next(1), source.next(1))] == [LinkFound, LiveFrame]


def test_the_size_of_a_source_that_never_comes_is_an_error() -> None:
    def opener() -> Link:
        raise LinkError("connection refused")

    with source_of(opener, read_timeout_s=0.1) as source, pytest.raises(SourceLost, match="no frame came within 2 s"):
        _ = source.size


def test_closing_ends_the_thread_and_the_iteration() -> None:
    before = threads()
    source = source_of(lambda: SimulatedLink(fps=50))
    frames = iter(source)
    next(frames)
    source.close()
    assert len(list(frames)) <= 1
    assert isinstance(source.next(0), SourceEnd)
    assert threads() == before


def test_waits_grow_to_four_seconds_and_are_never_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    waits = back_off()
    for longest in (0.5, *(8 * (1,)), 2, 4, 4, 4):
        assert longest / 2 <= next(waits) <= longest
