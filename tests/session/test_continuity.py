from __future__ import annotations

import numpy as np

from eatrack_edge.outputs.base import RunEvent
from eatrack_edge.session.continuity import continuous
from eatrack_edge.sources.base import SourceFrame


def _frame(index: int, size: tuple[int, int] = (8, 6), **others: object) -> SourceFrame:
    return SourceFrame(index, index / 30, np.full((size[1], size[0], 3), 9, np.uint8), **others)  # type: ignore[arg-type]


def _events(*frames: SourceFrame) -> list[RunEvent]:
    return [event for _, events in continuous(iter(frames)) for event in events]  # type: ignore[arg-type]


def test_frames_of_another_size_are_brought_to_the_first() -> None:
    given = [_frame(0), _frame(1, (4, 3)), _frame(2, (16, 6)), _frame(3)]
    assert {shown.frame.shape for shown, _ in continuous(iter(given))} == {(6, 8, 3)}  # type: ignore[arg-type]
    assert _events(*given) == [
        RunEvent("size_change", 1, {"from": (8, 6), "size": (4, 3)}),
        RunEvent("size_change", 2, {"from": (4, 3), "size": (16, 6)}),
        RunEvent("size_change", 3, {"from": (16, 6), "size": (8, 6)}),
    ]


def test_a_run_of_lost_frames_is_one_gap() -> None:
    frames = [_frame(0), _frame(1, lost=2), _frame(2, lost=1), _frame(3), _frame(4, lost=1)]
    assert _events(*frames) == [
        RunEvent("gap", 1, {"frames": 2, "reason": "lost"}),
        RunEvent("gap", 4, {"frames": 1, "reason": "lost"}),
    ]


def test_a_frame_damaged_in_part_is_a_gap_of_none() -> None:
    frames = [_frame(0), _frame(1, is_damaged=True), _frame(2, is_damaged=True), _frame(3)]
    assert _events(*frames) == [RunEvent("gap", 1, {"frames": 0, "reason": "damaged in part"})]
