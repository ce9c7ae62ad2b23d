"""Tracking as a live camera would allow it: while an update runs, frames pass that nobody looks at.

Time is the camera's. Frame ``k`` arrives at ``k / camera_fps``; when an update ends, the newest frame that has arrived
is taken, or the next one awaited. What an update takes is measured, what waiting for a frame takes is not waited for,
so that a run lasts no longer than its updates.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from time import perf_counter

import numpy as np

from eatrack_edge.core.boxes import Box
from eatrack_edge.core.crops import Frame
from eatrack_edge.evaluation.track_store import Track
from eatrack_edge.evaluation.tracker_protocol import SingleObjectTracker

_ROUNDING = 1e-9  # frames: one that arrives at the very end of an update has arrived


class LiveCamera:
    """A camera that does not wait: which frame a tracker is given next.

    Args:
        fps: Frames a second, evenly.

    Attributes:
        next_frame: Number of the frame that the next update looks at, from 0; those before it are seen or missed.
    """

    def __init__(self, fps: float) -> None:
        self.next_frame = 0
        self._fps = fps
        self._free_at = 0.0  # camera time at which the latest update ended

    def pass_time(self, seconds: float) -> float:
        """Let the tracker look at ``next_frame`` for so long; the frame's age when that ends, seconds."""
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
    """Follow a target through frames that do not wait.

    A frame that was looked at has the box that was found in it, however late; how old boxes are is what ``bench``
    tells. A frame that was missed has the box of the last update that had ended when it arrived.

    Args:
        tracker: The tracker.
        frames: In order, all of them.
        first_box: The target in the first frame, pixels.
        camera_fps: Frames a second of the camera.
        on_frame: Called after every frame.
        clock: Seconds; a test gives its own.

    Returns:
        A row a frame; ``seconds`` is 0 where a frame was missed.
    """
    boxes: list[Box] = []
    confidence: list[float] = []
    seconds: list[float] = []
    camera = LiveCamera(camera_fps)
    ended, running = (first_box, math.nan), (first_box, math.nan)  # the last update that ended, and the one under way
    for place, frame in enumerate(frames):
        spent = 0.0
        if place < camera.next_frame:  # missed: when the update ended, a newer one was there
            shown = ended
        else:
            start = clock()
            if place == 0:
                tracker.init(frame, first_box)
                shown = running
            else:
                seen = tracker.update(frame)
                shown = seen.box, seen.confidence
            spent = clock() - start
            camera.pass_time(spent)
            ended, running = running, shown
        boxes.append(shown[0])
        confidence.append(shown[1])
        seconds.append(spent)
        on_frame()
    return Track(np.array(boxes, np.float64).reshape(-1, 4), np.array(confidence), np.array(seconds))
