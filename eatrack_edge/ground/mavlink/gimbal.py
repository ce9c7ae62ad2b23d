"""Points a gimbal at the target, where the pilot asked for that: messages in, messages out, and every stop.

It moves nothing but the gimbal, and that only while the session says TRACKING, frames come, and the gimbal's manager
says that this camera has control. In every other case the rate is zero. It never commands the vehicle.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple

from eatrack_edge.ground.mavlink.camera_component import Outgoing
from eatrack_edge.ground.mavlink.camera_options import MavlinkOptions
from eatrack_edge.ground.mavlink.connections import Peer
from eatrack_edge.ground.mavlink.gimbal_rates import GimbalRates
from eatrack_edge.session.events import (
    WAITING,
    EndEvent,
    Event,
    FrameEvent,
    SelectionEvent,
    SourceLostEvent,
    StateEvent,
    StationEvent,
)

_PERIOD_S = 0.1  # between two rates: gimbal managers expect 5 to 20 a second
_JITTER_S = 0.01  # that a rate may come early: half a turn of the link late would make it every other turn
_TRACKER_SILENT_S = 1.0
_MANAGER_SILENT_S = 5.0  # the slowest, PX4's, sends its status every 2 s
_ASK_S, _MOST_ASKED = 2.5, 3
_GIVE_BACK = -3  # in DO_GIMBAL_MANAGER_CONFIGURE, as the number of who is to have control


class _Manager(NamedTuple):
    """Who moves the gimbal: the autopilot, or the gimbal itself.

    Attributes:
        peer, component: Where it is; its system is the vehicle's.
        device: The gimbal that it moves.
        controller: System and component that it obeys; zeros are nobody.
        at_s: When it said so.
    """

    peer: Peer
    component: int
    device: int
    controller: tuple[int, int]
    at_s: float


class Gimbal:
    """Keeps the target in the middle of the picture.

    Control is asked for once for each selection. Where another takes it, or it is refused, nothing is sent until the
    next selection.

    Args:
        dialect: From ``packets.load_dialect``.
        options: The camera's numbers, and its field of view.
        report: Takes events, from this thread.
    """

    def __init__(self, dialect: ModuleType, options: MavlinkOptions, report: Callable[[Event], None]) -> None:
        self._dialect, self._options, self._report = dialect, options, report
        self._rates = GimbalRates(options.gimbal_view_deg)
        self._own = (options.system, options.component)
        self._manager: _Manager | None = None
        self._is_wanted = False  # a target was selected, and control is not refused, taken or given back since
        self._has_control = False
        self._asked, self._asked_s = 0, -math.inf
        self._frame: FrameEvent | None = None  # the newest
        self._frame_s = self._sent_s = -math.inf

    def receive(self, message: Any, peer: Peer, now_s: float) -> None:
        """Take a message from a peer: the manager's status, or its answer."""
        kind, component = message.get_type(), message.get_srcComponent()
        if message.get_srcSystem() != self._options.system:
            return
        if kind == "COMMAND_ACK":
            self._take_answer(message)
        elif kind == "GIMBAL_MANAGER_STATUS":
            known = self._manager
            if known is not None and known.component != component and now_s - known.at_s < _MANAGER_SILENT_S:
                return  # one gimbal is enough
            controller = (int(message.primary_control_sysid), int(message.primary_control_compid))
            self._manager = _Manager(peer, component, int(message.gimbal_device_id), controller, now_s)
            self._take_status(controller)

    def observe(self, event: Event, now_s: float) -> list[Outgoing]:
        """Take an event of the session. What stops the gimbal is sent at once."""
        if isinstance(event, FrameEvent):
            self._frame, self._frame_s = event, now_s
            return [] if self._error(now_s) is not None else self._stop(now_s)
        if isinstance(event, SelectionEvent) and not event.is_refused:
            if not self._has_control:
                self._is_wanted, self._asked, self._asked_s = True, 0, -math.inf
        elif isinstance(event, EndEvent) or (isinstance(event, StateEvent) and event.state == WAITING):
            self._frame = None  # its frame follows
            return self._give_back(now_s)
        elif isinstance(event, SourceLostEvent) or (isinstance(event, StateEvent) and event.state != "TRACKING"):
            self._frame = None
            return self._stop(now_s)
        return []

    def due(self, now_s: float) -> list[Outgoing]:
        """What is to be sent by now: a rate ten times a second while this camera has control."""
        manager = self._manager
        if manager is None or not self._is_wanted:
            return []
        is_silent = now_s - manager.at_s > _MANAGER_SILENT_S  # then nobody knows who has control
        error = None if is_silent else self._error(now_s)
        if not self._has_control:
            return self._ask(manager, now_s) if error is not None else []
        if error is None:
            return self._stop(now_s)
        if not self._is_due(now_s):
            return []
        elapsed_s, self._sent_s = min(now_s - self._sent_s, _PERIOD_S), now_s
        return [self._message(manager, self._rates.advance(error, elapsed_s))]

    def forget(self) -> None:
        """The connection is gone, and with it control."""
        self._manager, self._has_control = None, False
        self._rates.stop()

    def _error(self, now_s: float) -> tuple[float, float] | None:
        """How far the target is right of the middle and below it, parts of the width; ``None`` where it is unknown."""
        if self._frame is None or now_s - self._frame_s > _TRACKER_SILENT_S:
            return None
        record, (height, width) = self._frame.record, self._frame.shown.frame.shape[:2]
        if record.state != "TRACKING" or record.box is None:
            return None
        x, y, w, h = record.box
        return (x + w / 2 - width / 2) / width, (y + h / 2 - height / 2) / width

    def _ask(self, manager: _Manager, now_s: float) -> list[Outgoing]:
        if now_s - self._asked_s < _ASK_S:
            return []
        if self._asked >= _MOST_ASKED:
            self._yield("the gimbal's manager gives no control")
            return []
        self._asked, self._asked_s = self._asked + 1, now_s
        return [self._configure(manager, *self._own, confirmation=self._asked - 1)]

    def _take_status(self, controller: tuple[int, int]) -> None:
        if self._has_control and controller != self._own:
            self._yield(f"{controller[0]}/{controller[1]} has taken control of the gimbal")
        elif self._is_wanted and self._asked and controller == self._own and not self._has_control:
            self._has_control = True
            self._say("points the gimbal at the target")

    def _take_answer(self, ack: Any) -> None:
        flags = self._dialect
        is_ours = (ack.target_system, ack.target_component) == self._own
        is_refused = ack.result not in (flags.MAV_RESULT_ACCEPTED, flags.MAV_RESULT_IN_PROGRESS)
        if ack.command == flags.MAV_CMD_DO_GIMBAL_MANAGER_CONFIGURE and is_ours and is_refused and self._is_wanted:
            self._yield(f"the gimbal's manager refuses control, result {ack.result}")

    def _stop(self, now_s: float) -> list[Outgoing]:
        """A rate of zero: once at once, then as often as any."""
        was_moving = self._rates.stop()
        if not self._has_control or self._manager is None or not (was_moving or self._is_due(now_s)):
            return []
        self._sent_s = now_s
        return [self._message(self._manager, (0.0, 0.0))]

    def _is_due(self, now_s: float) -> bool:
        return now_s - self._sent_s >= _PERIOD_S - _JITTER_S

    def _give_back(self, now_s: float) -> list[Outgoing]:
        """Nothing is tracked: a rate of zero, and control for whoever wants it."""
        manager, had_control = self._manager, self._has_control
        self._rates.stop()
        self._is_wanted = self._has_control = False
        if manager is None or not had_control:
            return []
        self._sent_s = now_s
        return [self._message(manager, (0.0, 0.0)), self._configure(manager, _GIVE_BACK, _GIVE_BACK)]

    def _yield(self, reason: str) -> None:
        self._is_wanted = self._has_control = False
        self._rates.stop()
        self._say(f"leaves the gimbal alone until the next selection: {reason}")

    def _message(self, manager: _Manager, rates: tuple[float, float]) -> Outgoing:
        # PX4 knows this message and not SET_PITCHYAW; ArduPilot takes the rates where the attitude is NaN.
        flags = self._dialect.GIMBAL_MANAGER_FLAGS_ROLL_LOCK | self._dialect.GIMBAL_MANAGER_FLAGS_PITCH_LOCK
        up, right = (math.radians(rate) for rate in rates)
        message = self._dialect.MAVLink_gimbal_manager_set_attitude_message(
            self._options.system, manager.component, flags, manager.device, 4 * [math.nan], 0.0, up, right
        )
        return Outgoing(message, manager.peer)

    def _configure(self, manager: _Manager, system: int, component: int, confirmation: int = 0) -> Outgoing:
        # Our own numbers, and not -2: on PX4 that is the autopilot itself. The secondary control stays as it is.
        message = self._dialect.MAVLink_command_long_message(
            *(self._options.system, manager.component, self._dialect.MAV_CMD_DO_GIMBAL_MANAGER_CONFIGURE, confirmation),
            *(system, component, -1, -1, 0, 0, manager.device),
        )
        return Outgoing(message, manager.peer)

    def _say(self, text: str) -> None:
        self._report(StationEvent(f"MAVLink camera {text}", time.monotonic_ns()))
