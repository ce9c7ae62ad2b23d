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

from eatrack_edge.boxes import Box
from eatrack_edge.crops import Frame
from eatrack_edge.evaluation.trackers import Follower
from eatrack_edge.evaluation.tracks import Track

_ROUNDING_S = 1e-9  # a frame that arrives at the very end of an update has arrived


def track_live(
    follower: Follower,
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
        follower: The tracker.
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
    free_at = 0.0  # camera time at which the running update ends
    ended, running = (first_box, math.nan), (first_box, math.nan)  # the last update that ended, and the one under way
    for place, frame in enumerate(frames):
        # Missed when the update still runs as the next frame arrives: a newer one is there when it ends.
        is_missed = place > 0 and (place + 1) / camera_fps <= free_at + _ROUNDING_S
        spent = 0.0
        if is_missed:
            shown = ended
        else:
            start = clock()
            if place == 0:
                follower.init(frame, first_box)
                shown = running
            else:
                seen = follower.update(frame)
                shown = seen.box, seen.confidence
            spent = clock() - start
            free_at = max(free_at, place / camera_fps) + spent
            ended, running = running, shown
        boxes.append(shown[0])
        confidence.append(shown[1])
        seconds.append(spent)
        on_frame()
    return Track(np.array(boxes, np.float64).reshape(-1, 4), np.array(confidence), np.array(seconds))
