"""What a station is told of the target: ``CAMERA_TRACKING_IMAGE_STATUS``, from the states of the session."""

from __future__ import annotations

import math
from types import ModuleType
from typing import Any, NamedTuple

from eatrack_edge.core.boxes import Box
from eatrack_edge.session.events import WAITING

_STALE_S = 2.0  # without a result for so long nothing is known of the target
_ERROR_S = 0.5  # how long a loss is an error, before it is nothing: some stations draw a box with any status but 0
_FOUND = ("TRACKING", "REACQUIRED")
_WITH_BOX = (*_FOUND, "UNCERTAIN")


class NewestResult(NamedTuple):
    """The newest result of the session.

    Attributes:
        state: The session's.
        box: In pixels of the picture; ``None`` where there is no target, or none is known of yet.
        confidence: [0, 1]; NaN without a target.
        size: Width and height of the picture, px.
        at_s: When its box came, monotonic.
    """

    state: str
    box: Box | None
    confidence: float
    size: tuple[int, int]
    at_s: float


class TrackingStatus:
    """The status as a station knows it. A loss is an error for half a second, then idle.

    Args:
        dialect: pymavlink's messages.
        coasting: Report a low confidence as such.
        is_box_drawn: Whether the video that the station shows has the box in it.
    """

    def __init__(self, dialect: ModuleType, *, coasting: bool, is_box_drawn: bool) -> None:
        self._dialect, self._coasting = dialect, coasting
        self._data = dialect.CAMERA_TRACKING_TARGET_DATA_IN_STATUS
        if is_box_drawn:
            self._data |= dialect.CAMERA_TRACKING_TARGET_DATA_RENDERED
        self.newest: NewestResult | None = None
        self._status: int = dialect.CAMERA_TRACKING_STATUS_FLAGS_IDLE
        self._error_s = -math.inf  # when the target was lost

    def take(self, result: NewestResult) -> None:
        """Take the result of a frame. While a late selection catches up, frames have no box: the selected one stays."""
        newest = self.newest
        if result.box is None and result.state in _WITH_BOX and newest is not None and newest.state in _WITH_BOX:
            result = result._replace(box=newest.box, confidence=newest.confidence, at_s=newest.at_s)
        self.newest = result

    def advance(self, now_s: float) -> bool:
        """Bring the status to a time; whether it changed."""
        flags = self._dialect
        before, now = self._status, self._now(now_s)
        if now is None:  # lost
            if before not in (flags.CAMERA_TRACKING_STATUS_FLAGS_IDLE, flags.CAMERA_TRACKING_STATUS_FLAGS_ERROR):
                self._error_s = now_s
            is_recent = now_s - self._error_s < _ERROR_S
            name = "ERROR" if is_recent else "IDLE"
            now = getattr(flags, f"CAMERA_TRACKING_STATUS_FLAGS_{name}")
        self._status = int(now)
        return self._status != before

    def message(self) -> Any:
        """The status as a message. Without a target every number in it is NaN."""
        flags, newest, nan = self._dialect, self.newest, math.nan
        is_active = self._status & flags.CAMERA_TRACKING_STATUS_FLAGS_ACTIVE
        if not is_active or newest is None or newest.box is None:
            mode = flags.CAMERA_TRACKING_MODE_NONE
            return flags.MAVLink_camera_tracking_image_status_message(self._status, mode, 0, *(7 * [nan]))
        (x, y, w, h), (width, height) = newest.box, newest.size
        corners = (_part(x, width), _part(y, height), _part(x + w, width), _part(y + h, height))
        mode = flags.CAMERA_TRACKING_MODE_RECTANGLE
        return flags.MAVLink_camera_tracking_image_status_message(
            self._status, mode, self._data, nan, nan, nan, *corners
        )

    def confidence(self) -> float | None:
        """The confidence of a target that is reported, [0, 1]."""
        is_active = self._status & self._dialect.CAMERA_TRACKING_STATUS_FLAGS_ACTIVE
        return self.newest.confidence if is_active and self.newest and math.isfinite(self.newest.confidence) else None

    def _now(self, now_s: float) -> int | None:
        """The flags of the newest result; ``None`` where the target is lost."""
        flags, newest = self._dialect, self.newest
        if newest is None or newest.state == WAITING:
            return int(flags.CAMERA_TRACKING_STATUS_FLAGS_IDLE)
        if newest.box is None or now_s - newest.at_s > _STALE_S:
            return None
        if newest.state in _FOUND:
            return int(flags.CAMERA_TRACKING_STATUS_FLAGS_ACTIVE)
        if newest.state == "UNCERTAIN":
            coasting = flags.CAMERA_TRACKING_STATUS_FLAGS_COASTING if self._coasting else 0
            return int(flags.CAMERA_TRACKING_STATUS_FLAGS_ACTIVE | coasting)
        return None  # LOST, and any state that this does not know: no box is better than a wrong one


def _part(value: float, whole: int) -> float:
    return min(max(value / whole, 0.0), 1.0)
