"""Open trackers, kept by each thread for its next sequence.

A tracker holds one target, and some backends (pycuda's) work only in the thread that opened them. So trackers are never
shared between threads, however many threads a worker has.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

from eatrack_edge.evaluation.tracker_protocol import SingleObjectTracker
from eatrack_edge.evaluation.trackers import TrackerSpec, open_tracker

# In each thread. A model takes some 100 MB, and a cluster's worker may have a thread for every core.
MAXIMUM_OPEN = 4


class _KeptTrackers:
    """The open trackers of one thread, least recently used first. Closed with the thread."""

    def __init__(self) -> None:
        self._trackers: OrderedDict[TrackerSpec, SingleObjectTracker] = OrderedDict()

    def get(self, spec: TrackerSpec) -> SingleObjectTracker:
        if spec not in self._trackers:
            while len(self._trackers) >= MAXIMUM_OPEN:
                close_tracker(self._trackers.popitem(last=False)[1])
            self._trackers[spec] = open_tracker(spec)
        self._trackers.move_to_end(spec)
        return self._trackers[spec]

    def close(self) -> None:
        while self._trackers:
            close_tracker(self._trackers.popitem()[1])

    def __del__(self) -> None:
        self.close()


class _OfThread(threading.local):
    def __init__(self) -> None:
        self.kept = _KeptTrackers()


_of_thread = _OfThread()


def kept_tracker(spec: TrackerSpec) -> SingleObjectTracker:
    """The calling thread's own tracker, opened on first use.

    Args:
        spec: Which tracker.

    Raises:
        EATrackError: Whatever ``open_tracker`` raises.
    """
    return _of_thread.kept.get(spec)


def close_kept_trackers() -> None:
    """Close the trackers that the calling thread has opened."""
    _of_thread.kept.close()


def close_tracker(tracker: SingleObjectTracker) -> None:
    """Close a tracker if it has a ``close``; other people's trackers need none."""
    close = getattr(tracker, "close", None)
    if close is not None:
        close()
