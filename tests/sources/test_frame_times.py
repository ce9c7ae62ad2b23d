from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eatrack_edge.sources.frame_times import Place, Timeline


def _timeline(**options: object) -> Timeline:
    return Timeline(0.1, 1.0, **options)  # type: ignore[arg-type]


def test_frames_count_from_zero_at_their_times_after_the_first() -> None:
    timeline = _timeline()
    for pts in (50, 60, 75):
        timeline.sent(pts)
    assert [timeline.place(pts) for pts in (50, 60, 75)] == [(0, 0.0, 0), (1, 1.0, 0), (2, 2.5, 0)]


def test_a_packet_without_a_picture_is_no_lost_frame_unless_damage_was_reported() -> None:
    sound, damaged = _timeline(), _timeline()
    for timeline in (sound, damaged):
        timeline.sent(0)
        timeline.place(0)
        timeline.sent(10)
        if timeline is damaged:
            timeline.damaged()
        timeline.sent(20)
    assert sound.place(20) == Place(1, 2.0, 0)
    assert damaged.place(20) == Place(2, 2.0, 1)


def test_after_the_damage_packets_without_a_picture_are_no_lost_frames_again() -> None:
    timeline = _timeline()
    for pts in (0, 10):
        timeline.sent(pts)
    timeline.damaged()
    for pts in (20, 30, 40):
        timeline.sent(pts)
    assert [timeline.place(pts) for pts in (0, 20, 40)] == [(0, 0.0, 0), (2, 2.0, 1), (3, 4.0, 0)]


@pytest.mark.parametrize(("counts_by_time", "lost"), [(True, 3), (False, 0)])
def test_frames_whose_packets_are_missing_are_counted_by_time_where_a_file_has_no_index(
    counts_by_time: bool, lost: int
) -> None:
    timeline = _timeline(counts_by_time=counts_by_time)
    timeline.sent(0)
    timeline.damaged()
    timeline.sent(40)
    timeline.place(0)
    assert timeline.place(40) == Place(1 + lost, 4.0, lost)


def test_two_frames_a_tick_apart_after_damage_stay_two_frames() -> None:
    timeline = Timeline(1 / 90000, 1 / 30, counts_by_time=True, jumps=True)
    timeline.sent(0)
    assert timeline.place(0).number == 0
    timeline.damaged()
    timeline.sent(1)
    assert timeline.place(1).number == 1


def test_frames_without_times_follow_each_other_at_the_rate() -> None:
    timeline = _timeline()
    assert [timeline.place(None) for _ in range(3)] == [(0, 0.0, 0), (1, 1.0, 0), (2, 2.0, 0)]


def test_times_that_begin_late_go_on_from_the_frames_without() -> None:
    timeline = _timeline()
    assert [timeline.place(pts).pts_s for pts in (None, None, 0, 10)] == [0.0, 1.0, 2.0, 3.0]


def test_a_clock_that_was_set_anew_goes_on_where_it_was() -> None:
    back, ahead = _timeline(), _timeline(jumps=True)
    assert [back.place(pts).pts_s for pts in (100, 110, 0, 10)] == [0.0, 1.0, 2.0, 3.0]
    assert [ahead.place(pts).pts_s for pts in (100, 110, 5000, 5010)] == pytest.approx([0.0, 1.0, 2.0, 3.0])


def test_a_long_pause_stays_where_the_clock_cannot_be_set_anew() -> None:
    timeline = _timeline()
    assert [timeline.place(pts).pts_s for pts in (0, 5000)] == [0.0, 500.0]


def test_the_nth_frame_gets_the_nth_time_where_times_are_those_of_storage() -> None:
    timeline = _timeline(is_untimed=True)
    for pts in (0, 10, 20, 30):
        timeline.sent(pts)
    assert [timeline.place(pts).pts_s for pts in (10, 30, 0, 20)] == [0.0, 1.0, 2.0, 3.0]


def test_where_times_are_those_of_storage_a_lost_frame_is_known_at_the_next_anchor() -> None:
    timeline = _timeline(is_untimed=True)
    for pts in (0, 10, 20, 30):
        timeline.sent(pts)
    timeline.damaged()  # 30 stores a B-frame, and was lost
    for pts in (40, 50, 60):
        timeline.sent(pts)
    shown = [(0, True), (20, False), (10, True), (50, False), (40, True)]
    places = [timeline.place(pts, is_anchor=is_anchor) for pts, is_anchor in shown]
    assert [place[::2] for place in places] == [(0, 0), (1, 0), (2, 0), (3, 0), (5, 1)]
    assert places[-1].pts_s == 5.0
    assert timeline.place(60) == Place(6, 6.0, 0)
    assert timeline.lost_at_end() == 0


def test_frames_lost_at_the_end_of_a_file_without_times_of_display_are_to_be_read_again() -> None:
    timeline = _timeline(is_untimed=True)
    for pts in (0, 10, 20):
        timeline.sent(pts)
    timeline.place(0)
    assert timeline.is_complete
    timeline.damaged()
    assert not timeline.is_complete
    assert timeline.lost_at_end() == 2


@pytest.mark.parametrize("options", [{}, {"counts_by_time": True, "jumps": True}, {"is_untimed": True}])
def test_a_frame_that_comes_after_it_was_counted_as_lost_is_late(options: dict[str, bool]) -> None:
    timeline = _timeline(**options)
    for pts in (0, 10, 20):
        timeline.sent(pts)
    timeline.place(0)
    timeline.damaged()
    assert not timeline.is_late(10)
    assert timeline.place(20).number == 2
    assert timeline.is_late(10)
    timeline.sent(10)  # a clock that was set anew
    assert not timeline.is_late(10)


def test_frames_whose_packets_are_missing_before_the_first_that_can_be_shown_are_counted_by_time() -> None:
    timeline = _timeline(counts_by_time=True)
    for pts in (0, 10):
        timeline.sent(pts)
        timeline.damaged()
    timeline.sent(50)
    assert timeline.place(50) == Place(5, 5.0, 5)


def test_where_no_frame_can_be_shown_each_report_of_damage_is_a_lost_frame() -> None:
    timeline = _timeline()
    for pts in (0, 10):
        timeline.sent(pts)
        timeline.damaged()
    assert timeline.lost_at_end() == 2
    assert timeline.place(None) == Place(2, 2.0, 2)


def test_where_every_packet_shows_a_frame_one_without_is_lost_without_a_report_of_damage() -> None:
    timeline = _timeline(shows_each=True)
    for pts in (0, 10, 20, 30):
        timeline.sent(pts)
    assert [timeline.place(pts) for pts in (0, 20)] == [(0, 0.0, 0), (2, 2.0, 1)]
    assert timeline.lost_at_end() == 1


def test_reading_that_begins_in_the_middle_goes_on_from_its_number_and_time() -> None:
    timeline = _timeline(first=(7, 7.5))
    assert [timeline.place(pts) for pts in (75, 85)] == [(7, 7.5, 0), (8, 8.5, 0)]


def test_frames_lost_at_the_end_are_counted() -> None:
    timeline = _timeline()
    for pts in (0, 10, 20):
        timeline.sent(pts)
    timeline.place(0)
    assert timeline.lost_at_end() == 0
    assert not timeline.is_complete
    timeline.damaged()
    assert timeline.lost_at_end() == 2


@given(
    st.lists(st.one_of(st.none(), st.integers(-(10**6), 10**6)), min_size=1, max_size=40),
    st.tuples(st.booleans(), st.booleans(), st.booleans(), st.booleans()),
    st.sets(st.integers(0, 39)),
    st.sets(st.integers(0, 39)),
)
def test_whatever_a_file_says_numbers_and_times_grow(
    times: list[int | None], options: tuple[bool, bool, bool, bool], damaged: set[int], between: set[int]
) -> None:
    names = ("is_untimed", "shows_each", "counts_by_time", "jumps")
    timeline = Timeline(1 / 90000, 1 / 30, **dict(zip(names, options, strict=True)))
    places = []
    for number, pts in enumerate(times):
        timeline.sent(pts)
        if number in damaged:
            timeline.damaged()
        else:
            places.append(timeline.place(pts, is_anchor=number not in between))
    assert all(one.number < other.number and one.pts_s < other.pts_s for one, other in pairwise(places))
