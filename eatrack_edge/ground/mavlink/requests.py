"""A command from a station, read from the two messages that carry one."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from eatrack_edge.ground.mavlink.connections import Peer


class Station(NamedTuple):
    """Who sent a message.

    Attributes:
        peer: Where its packets come from. Stations behind one router have the same.
        system, component: Its MAVLink numbers.
    """

    peer: Peer
    system: int
    component: int


class Request(NamedTuple):
    """A command.

    Attributes:
        parameters: Seven numbers. Stations send NaN, and anything else, for those without a meaning.
        confirmation: How often it was sent before, as far as the station counts.
        is_broadcast: Sent to all components.
    """

    station: Station
    command: int
    parameters: tuple[float, ...]
    confirmation: int
    is_broadcast: bool

    @classmethod
    def of(cls, message: Any, station: Station) -> Request:
        """From pymavlink's ``COMMAND_LONG`` or ``COMMAND_INT``."""
        first = (message.param1, message.param2, message.param3, message.param4)
        if message.get_type() == "COMMAND_INT":
            last = (float(message.x), float(message.y), message.z)
        else:
            last = (message.param5, message.param6, message.param7)
        is_broadcast = message.target_component == 0
        return cls(station, message.command, (*first, *last), getattr(message, "confirmation", 0), is_broadcast)

    def number(self, place: int) -> int | None:
        """A parameter that is a whole number; ``None`` where it is not one.

        Args:
            place: 1 for the first.
        """
        value = self.parameters[place - 1]
        return int(value) if math.isfinite(value) and value == int(value) else None
