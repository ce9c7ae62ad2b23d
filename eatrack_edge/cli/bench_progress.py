"""What a benchmark is at: one line that is rewritten on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time

_EVERY_S = 5.0  # between two plain lines


class BenchProgress:
    """Says it on stderr while entered.

    Args:
        goal: What to write behind the seconds gone: their unit, and how many there shall be, e.g. ``of 10 s``.
    """

    def __init__(self, goal: str) -> None:
        self._goal = goal
        self._said, self._step = 0.0, ""
        self._is_terminal = sys.stderr.isatty()

    def show(self, step: str, done: int, seconds: float) -> None:
        """So far it is."""
        now = time.monotonic()
        if step == self._step and now - self._said < (0.2 if self._is_terminal else _EVERY_S):
            return
        self._step, self._said = step, now
        text = f"{step}: {done} updates, {seconds:.0f} {self._goal}" if done else step
        print(
            f"\r\x1b[K{text}" if self._is_terminal else text,
            end="" if self._is_terminal else "\n",
            file=sys.stderr,
            flush=True,
        )

    def __enter__(self) -> BenchProgress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_terminal:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
