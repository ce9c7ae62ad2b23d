"""A mailbox between two threads that keeps the newest items and counts what it drops. ``put`` never waits."""

from __future__ import annotations

import threading
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")
_NOTICES = 64  # a link that dies and returns twice a second fills this in half a minute


class Mailbox(Generic[T]):
    """Holds a few items: a new one replaces the oldest that was not taken. Items leave in the order they came.

    A notice, such as "the source is lost", is not replaced by items: it keeps its place among them.

    Args:
        capacity: Items to hold, notices apart. 1 keeps the newest alone.

    >>> box: Mailbox[str] = Mailbox()
    >>> box.put("old"), box.put("new"), box.get(timeout=0), box.dropped
    (None, None, 'new', 1)
    """

    def __init__(self, capacity: int = 1) -> None:
        self._capacity = capacity
        self._held: deque[tuple[T, bool]] = deque()  # (item, whether it is a notice)
        self._changed = threading.Condition()
        self._item_count = 0
        self._is_closed = False
        self._dropped = 0

    @property
    def dropped(self) -> int:
        """Items, notices apart, that were replaced or cleared before they were taken."""
        return self._dropped

    @property
    def is_closed(self) -> bool:
        """Whether nothing more will come; what is held can still be taken."""
        return self._is_closed

    def put(self, item: T, *, is_notice: bool = False) -> None:
        """Add an item, in place of the oldest where the mailbox is full. Ignored once the mailbox is closed."""
        with self._changed:
            if self._is_closed:
                return
            limit, count = (
                (_NOTICES, len(self._held) - self._item_count)
                if is_notice
                else (
                    self._capacity,
                    self._item_count,
                )
            )
            if count >= limit:
                self._drop_oldest(is_notice)
            self._held.append((item, is_notice))
            self._item_count += not is_notice
            self._changed.notify()

    def get(self, timeout: float | None) -> T | None:
        """Take the oldest item that is held; ``None`` when none came in time, or the mailbox is closed and empty.

        Args:
            timeout: Seconds to wait for one; ``None`` waits for ever.
        """
        with self._changed:
            self._changed.wait_for(lambda: bool(self._held) or self._is_closed, timeout)
            if not self._held:
                return None
            item, is_notice = self._held.popleft()
            self._item_count -= not is_notice
            return item

    def clear(self) -> None:
        """Drop the items that are held, and keep the notices."""
        with self._changed:
            while self._item_count:
                self._drop_oldest(is_notice=False)

    def close(self) -> None:
        """Accept nothing more, and wake whoever waits."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def _drop_oldest(self, is_notice: bool) -> None:
        place = next(place for place, held in enumerate(self._held) if held[1] == is_notice)
        del self._held[place]
        if not is_notice:
            self._item_count -= 1
            self._dropped += 1
