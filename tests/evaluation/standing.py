"""Simple trackers for tests; worker processes open them as ``standing:Still`` and so on."""

from __future__ import annotations

import os
import time
from typing import NamedTuple

from eatrack_edge.core.boxes import Box
from eatrack_edge.core.crops import Frame
from eatrack_edge.evaluation.baselines.base import BaselineResult


class Still:
    """Always returns the initial box; its confidence is the red value at one pixel of the box."""

    def __init__(self) -> None:
        self.box: Box = (0.0, 0.0, 0.0, 0.0)

    def init(self, _frame: Frame, box: Box) -> None:
        self.box = box

    def update(self, frame: Frame) -> BaselineResult:
        x, y = int(self.box[0]), int(self.box[1])
        return BaselineResult(self.box, float(frame[y, x, 2]) / 255)


class Shifted(Still):
    """Returns a box two pixels right of the initial one."""

    def init(self, _frame: Frame, box: Box) -> None:
        self.box = (box[0] + 2, *box[1:])


class DiesOnRed(Still):
    """Ends its process on a red pixel, as a crash in compiled code does."""

    def update(self, frame: Frame) -> BaselineResult:
        if frame[0, 0, 2] == 255:
            os._exit(1)
        return super().update(frame)


class Slow(Still):
    """Takes 50 ms for an update."""

    def update(self, frame: Frame) -> BaselineResult:
        time.sleep(0.05)
        return super().update(frame)


class Counted(Still):
    """Leaves a line in a file for every sequence it starts."""

    def init(self, frame: Frame, box: Box) -> None:
        with open(os.environ["COUNTED"], "a", encoding="utf-8") as file:  # noqa: PTH123
            file.write("started\n")
        super().init(frame, box)


class Wandering(Still):
    """Moves with what it has seen so far, and gives other threads time to run."""

    def update(self, frame: Frame) -> BaselineResult:
        time.sleep(0.002)
        x, y, w, h = self.box
        self.box = (x + float(frame.mean()) / 100, y + 0.1, w, h)
        return BaselineResult(self.box, 0.5)


class _Claim(NamedTuple):
    box: Box
    confidence: float
    state: str


class Careful(Still):
    """Has states: without red UNCERTAIN for ten frames, then LOST, and REACQUIRED after five frames with red."""

    def init(self, frame: Frame, box: Box) -> None:
        super().init(frame, box)
        self.dark, self.bright = 0, 5

    def update(self, frame: Frame) -> _Claim:
        result = super().update(frame)
        self.dark, self.bright = (self.dark + 1, 0) if result.confidence < 0.5 else (0, self.bright + 1)
        if self.dark:
            state = "LOST" if self.dark > 10 else "UNCERTAIN"
        else:
            state = {True: "LOST", False: "TRACKING"}[self.bright < 6]
            state = "REACQUIRED" if self.bright == 6 else state
        return _Claim(result.box, result.confidence, state)
