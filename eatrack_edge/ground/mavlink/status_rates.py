"""Who wants the tracking status how often."""

from __future__ import annotations

import math
from collections import OrderedDict

from eatrack_edge.ground.mavlink.connections import Peer
from eatrack_edge.ground.mavlink.requests import Station

_MOST_STATIONS = 32
SHORTEST_S = 0.02  # 50 a second: more than any camera here delivers


class StatusRates:
    """The intervals that stations asked for. A peer with several stations gets the shortest of theirs."""

    def __init__(self) -> None:
        self._intervals: OrderedDict[Station, float] = OrderedDict()
        self._due: dict[Peer, float] = {}

    def set(self, station: Station, interval_s: float | None, now_s: float) -> None:
        """Send a station the status from now on, or no more.

        Args:
            station: Who asked.
            interval_s: Above 0; ``None`` sends none.
            now_s: The first one is sent at once.
        """
        self._intervals.pop(station, None)
        if interval_s is not None:
            self._intervals[station] = max(interval_s, SHORTEST_S)
            self._due[station.peer] = now_s
        while len(self._intervals) > _MOST_STATIONS:
            self._intervals.popitem(last=False)
        self._tidy()

    def forget(self, peer: Peer) -> None:
        """Forget a peer that left, with its stations."""
        for station in [one for one in self._intervals if one.peer == peer]:
            del self._intervals[station]
        self._tidy()

    def take_due(self, now_s: float) -> list[Peer]:
        """The peers whose time has come; their next is an interval later."""
        due = [peer for peer, at_s in self._due.items() if at_s <= now_s]
        for peer in due:
            interval = min(one for station, one in self._intervals.items() if station.peer == peer)
            # On the beat, unless it was missed: the rate stays right where the loop turns late.
            self._due[peer] = max(self._due[peer] + interval, now_s)
        return due

    def next_s(self) -> float:
        """When the next is due; infinity where nobody wants any."""
        return min(self._due.values(), default=math.inf)

    def _tidy(self) -> None:
        wanting = {station.peer for station in self._intervals}
        self._due = {peer: at_s for peer, at_s in self._due.items() if peer in wanting}
