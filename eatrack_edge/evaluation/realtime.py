"""Simulates a live camera on a recorded sequence: frames that arrive while an update runs are missed.

Frame ``k`` arrives at ``k / camera_fps`` on the camera's clock. When an update ends, the tracker takes the newest frame
that has arrived, or waits for the next one. Update times are measured; waiting is only counted, so that a run lasts no
longer than its updates.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from time import perf_counter

import numpy as np

from eatrack_edge.core.boxes import Box, part_in_frame
from eatrack_edge.core.crops import Frame
from eatrack_edge.core.frames import frame_size
from eatrack_edge.evaluation.track_store import Track
from eatrack_edge.evaluation.tracker_protocol import SingleObjectTracker, state_of

_ROUNDING = 1e-9  # frames: one that arrives at the very end of an update has arrived


class LiveCamera:
    """The clock of a camera that does not wait: which frame the next update gets.

    Args:
        fps: Frames a second, evenly.

    Attributes:
        next_frame: Number of the frame that the next update gets, from 0; those before it are tracked or missed.
    """

    def __init__(self, fps: float) -> None:
        self.next_frame = 0
        self._fps = fps
        self._free_at = 0.0  # camera time at which the latest update ended

    def pass_time(self, seconds: float) -> float:
        """Let an update of ``next_frame`` take so long; returns the age of the frame when it ends, seconds."""
        arrived = self.next_frame / self._fps
        self._free_at = max(self._free_at, arrived) + seconds
        self.next_frame = max(self.next_frame + 1, math.floor(self._free_at * self._fps + _ROUNDING))
        return self._free_at - arrived


def track_live(
    tracker: SingleObjectTracker,
    frames: Iterable[Frame],
    first_box: Box,
    camera_fps: float,
    on_frame: Callable[[], None] = lambda: None,
    clock: Callable[[], float] = perf_counter,
) -> Track:
    """Track a target through frames that do not wait for the tracker.

    A tracked frame has the box that was found in it, however late; ``bench`` measures how old boxes are. A missed frame
    has the box of the last update that had ended when it arrived.

    Args:
        tracker: The tracker.
        frames: In order, all of them.
        first_box: The target in the first frame, pixels.
        camera_fps: Frames a second of the camera.
        on_frame: Called after every frame.
        clock: Returns seconds; a test passes its own.

    Returns:
        A row a frame; ``seconds`` is 0 where a frame was missed.
    """
    rows: list[tuple[Box, float, str, float]] = []  # box, confidence, state, seconds
    camera = LiveCamera(camera_fps)
    running: tuple[Box, float, str] = (first_box, math.nan, "")
    ended = running  # the last finished update, and the running one
    for place, frame in enumerate(frames):
        if place < camera.next_frame:  # missed: a newer frame had arrived when the update ended
            rows.append((ended[0], ended[1], ended[2], 0.0))
        else:
            start = clock()
            if place == 0:
                tracker.init(frame, part_in_frame(first_box, *frame_size(frame)))
            else:
                output = tracker.update(frame)
                ended, running = running, (output.box, output.confidence, state_of(output))
            rows.append((running[0], running[1], running[2], clock() - start))
            camera.pass_time(rows[-1][3])
        on_frame()
    boxes, confidence, states, seconds = zip(*rows, strict=True) if rows else ((), (), (), ())
    return Track(
        np.array(boxes, np.float64).reshape(-1, 4),
        np.array(confidence),
        np.array(seconds),
        states=np.array(states) if any(states) else None,
    )
