from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eatrack_edge.ground.web.messages import SelectBox, SelectClick, parse_message, refuse_selection

SIZE = (640, 360)


@pytest.mark.parametrize(
    "text",
    [
        "", "null", "[]", "{}", '"select"', '{"type": "fire"}', '{"type": "select"}', "{", "[" * 4000,
        '{"type": "select", "box": [1, 2, 3], "frame": 1}',
        '{"type": "select", "box": [1, 2, 3, 4, 5], "frame": 1}',
        '{"type": "select", "box": [1, 2, 3, "4"], "frame": 1}',
        '{"type": "select", "box": [1, 2, 3, NaN], "frame": 1}',
        '{"type": "select", "box": [1, 2, 3, 4], "frame": -1}',
        '{"type": "select", "box": [1, 2, 3, 4], "frame": 1.5}',
        '{"type": "select", "box": [1, 2, 3, 4], "frame": 1e30}',
        '{"type": "select", "box": [1, 2, 3, 4], "frame": 1, "then": "quit"}',
        '{"type": "stop", "frame": 1}', '{"type": "quit"}', '{"type": "view", "width": 0}', "\ud800",
    ],
)  # fmt: skip
def test_what_is_not_exactly_a_message_is_none(text: str) -> None:
    assert parse_message(text) is None


@given(st.text(max_size=300))
def test_no_text_breaks_the_parser(text: str) -> None:
    parse_message(text)


@pytest.mark.parametrize(
    ("box", "reason"),
    [
        pytest.param((10, 20, 30, 40), "", id="inside"),
        pytest.param((0, 0, 640, 360), "", id="the whole picture"),
        pytest.param((-0.5, 0, 30, 40), "", id="rounding"),
        pytest.param((620, 20, 30, 40), "the box is not inside the picture", id="right"),
        pytest.param((10, -20, 30, 40), "the box is not inside the picture", id="above"),
        pytest.param((10, 20, 0, 40), "the box is empty", id="no width"),
        pytest.param((10, 20, -30, -40), "the box is empty", id="turned over"),
        pytest.param((float("nan"), 20, 30, 40), "the box is empty", id="nan"),
        pytest.param((10, 20, float("inf"), 40), "the box is empty", id="infinite"),
    ],
)
def test_a_box_must_be_inside_the_picture_that_it_was_drawn_on(
    box: tuple[float, float, float, float], reason: str
) -> None:
    assert refuse_selection(SelectBox(box, 7), SIZE) == reason


@pytest.mark.parametrize("point", [(-1, 5), (641, 5), (5, 361), (float("nan"), 5)])
def test_a_point_outside_the_picture_is_refused(point: tuple[float, float]) -> None:
    assert refuse_selection(SelectClick(*point, 7), SIZE) == "the point is outside the picture"
