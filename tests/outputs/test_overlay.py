from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eatrack_edge.outputs.base import FrameRecord
from eatrack_edge.outputs.overlay import annotate, colour_of, state_colour

GREY = np.full((480, 640, 3), 90, np.uint8)
BOX = (300.0, 200.0, 80.0, 60.0)


def _changed(picture: np.ndarray, frame: np.ndarray = GREY) -> np.ndarray:
    return (picture != frame).any(2)


def _record(box=BOX, confidence: float = 0.9, state: str = "TRACKING", **others) -> FrameRecord:
    return FrameRecord(7, 0.25, box, confidence, state, **others)


def test_the_frame_itself_is_left_as_it_is() -> None:
    frame = GREY.copy()
    annotate(frame, _record(), fps=50, templates=[GREY[:64, :64]], truth=BOX)
    assert (frame == GREY).all()


def test_the_box_is_drawn_where_it_is() -> None:
    rows, columns = np.nonzero(_changed(annotate(GREY, _record()))[210:, 250:450])
    assert columns.min() + 250 == pytest.approx(300, abs=4)
    assert columns.max() + 250 == pytest.approx(380, abs=4)
    assert rows.max() + 210 == pytest.approx(260, abs=4)


def test_a_sure_box_is_solid_and_a_doubtful_one_is_dashed() -> None:
    along = slice(305, 375)
    solid = _changed(annotate(GREY, _record()))[258:263, along].any(0)
    dashed = _changed(annotate(GREY, _record(state="UNCERTAIN")))[258:263, along].any(0)
    assert solid.all()
    assert 0.2 < dashed.mean() < 0.9


def test_a_lost_target_is_dotted_where_it_was_last_seen() -> None:
    picture = annotate(GREY, _record(None, 0.05, "LOST", last_reliable_box=BOX))
    along = _changed(picture)[258:263, 305:375].any(0)
    assert 0.2 < along.mean() < 0.75
    assert not _changed(picture)[215:245, 315:365].any()


def test_what_may_be_a_lost_target_is_dashed_with_its_probability() -> None:
    candidates = [(BOX, 0.62), ((100.0, 300.0, 40.0, 40.0), 0.4)]
    picture = _changed(annotate(GREY, _record(None, 0.05, "LOST", candidates=candidates)))
    assert 0.2 < picture[258:263, 305:375].any(0).mean() < 0.9
    assert 0.2 < picture[338:343, 103:137].any(0).mean() < 0.95
    assert picture[180:198, 300:340].mean() > 0.5  # the label over the first


def test_each_state_has_a_colour_of_its_own() -> None:
    colours = {state: state_colour(_record(state=state)) for state in ("TRACKING", "UNCERTAIN", "LOST", "REACQUIRED")}
    assert len(set(colours.values())) == 4


@pytest.mark.parametrize("box", [None, (math.nan, 1.0, 2.0, 3.0)], ids=["no box", "nan"])
def test_where_there_is_no_box_none_is_drawn(box) -> None:
    assert not _changed(annotate(GREY, _record(box=box, confidence=math.nan, state="LOST")))[120:, 160:].any()


def test_the_true_box_is_white() -> None:
    picture = annotate(GREY, _record(box=None), truth=(400.5, 300.5, 50.0, 40.0))
    assert (picture[300, 405:445] > 230).all()


def test_templates_are_shown_and_a_new_one_stands_out() -> None:
    crops = [np.full((128, 128, 3), level, np.uint8) for level in (30, 200)]
    old = annotate(GREY, _record(box=None), templates=crops)
    new = annotate(GREY, _record(box=None, template_updated=True), templates=crops)
    assert (old[440, 40] == 30).all()
    assert (old[440, 110] == 200).all()
    changed = _changed(new, old)
    assert changed.any()
    assert not changed[:, :78].any()


def test_a_strip_that_does_not_fit_is_cut_short() -> None:
    frame = np.full((100, 60, 3), 90, np.uint8)
    picture = annotate(frame, _record(box=None), templates=[np.zeros((32, 32, 3), np.uint8)] * 20)
    assert picture.shape == frame.shape


def test_the_panel_says_the_speed_only_when_it_is_known() -> None:
    plain, quick, slow = (annotate(GREY, _record(box=None), fps=fps) for fps in (None, 57.2, 4.5))
    assert _changed(plain).sum() < _changed(quick).sum()
    assert _changed(quick, slow).any()


@pytest.mark.parametrize(
    ("score", "colour"),
    [
        (0.0, (60, 70, 235)),
        (-1, (60, 70, 235)),
        (0.5, (40, 190, 250)),
        (1.0, (110, 225, 80)),
        (math.nan, (40, 190, 250)),
    ],
)
def test_red_is_doubtful_and_green_is_sure(score: float, colour: tuple[int, int, int]) -> None:
    assert colour_of(score) == colour


@pytest.mark.parametrize(("height", "width"), [(480, 640), (720, 1280), (2160, 3840)])
def test_everything_grows_with_the_frame(height: int, width: int) -> None:
    frame = np.full((height, width, 3), 90, np.uint8)
    share = _changed(annotate(frame, _record(box=None), fps=30), frame).mean() * width / height
    assert 0.03 < share < 0.06


@given(
    st.tuples(*[st.floats(-1e9, 1e9)] * 4),
    st.floats(0, 1) | st.just(math.nan),
    st.sampled_from(["TRACKING", "UNCERTAIN", "LOST", "REACQUIRED"]),
    st.tuples(st.integers(1, 200), st.integers(1, 200)),
)
def test_no_box_and_no_frame_is_too_odd_to_draw(box, score: float, state: str, size: tuple[int, int]) -> None:
    frame = np.full((*size, 3), 90, np.uint8)
    picture = annotate(frame, _record(box=box, confidence=score, state=state), fps=3, templates=[frame], truth=box)
    assert picture.shape == frame.shape
    assert picture.dtype == np.uint8
