"""Recognises commands that a station sends again because the answer was lost."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

from eatrack_edge.ground.mavlink.requests import Request

_CONFIRMED_S = 10.0  # QGroundControl sends three times, 3 s apart, and counts in `confirmation`
# MAVSDK 4 sends four times, 0.5 s apart, and does not count. Networks double packets at once.
_UNCONFIRMED_S = 2.0
_MOST_HELD = 64


class _Known(NamedTuple):
    number: int  # of the selection
    at_s: float
    result: int | None  # `None` until it is known


class Repeats:
    """The selections of the last seconds, with what was answered.

    A selection that is carried out twice begins a second time on a box from which the target has moved on.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[object, ...], _Known] = OrderedDict()

    def find(self, request: Request, now_s: float) -> _Known | None:
        """The earlier command of which this is a repetition."""
        known = self._known.get(_key(request))
        limit_s = _CONFIRMED_S if request.confirmation > 0 else _UNCONFIRMED_S
        return known if known is not None and now_s - known.at_s <= limit_s else None

    def add(self, request: Request, number: int, now_s: float) -> None:
        """Remember a command that is being carried out, by the number of its selection."""
        self._known[_key(request)] = _Known(number, now_s, None)
        self._known.move_to_end(_key(request))
        while len(self._known) > _MOST_HELD:
            self._known.popitem(last=False)

    def answered(self, request: Request, number: int, result: int) -> None:
        """Remember what was answered, unless the same was selected anew since."""
        known = self._known.get(_key(request))
        if known is not None and known.number == number:
            self._known[_key(request)] = known._replace(result=result)


def _key(request: Request) -> tuple[object, ...]:
    # By text, as a NaN is not equal to itself. Not by peer: routers lead the same packet along two ways.
    return request.station.system, request.station.component, request.command, repr(request.parameters)
