from __future__ import annotations

import threading
import time

from eatrack_edge.core.mailbox import Mailbox


def test_the_newest_item_replaces_the_one_that_nobody_took() -> None:
    box: Mailbox[int] = Mailbox()
    for number in range(5):
        box.put(number)
    assert (box.get(0), box.get(0), box.dropped) == (4, None, 4)


def test_a_notice_keeps_its_place_and_is_not_replaced() -> None:
    box: Mailbox[str] = Mailbox()
    box.put("frame 1")
    box.put("lost", is_notice=True)
    box.put("found", is_notice=True)
    box.put("frame 2")
    box.put("frame 3")
    assert [box.get(0) for _ in range(4)] == ["lost", "found", "frame 3", None]
    assert box.dropped == 2


def test_clearing_drops_items_and_keeps_notices() -> None:
    box: Mailbox[str] = Mailbox(3)
    box.put("frame 1")
    box.put("lost", is_notice=True)
    box.put("frame 2")
    box.clear()
    assert [box.get(0), box.get(0), box.dropped] == ["lost", None, 2]


def test_it_holds_a_limited_number_of_notices() -> None:
    box: Mailbox[int] = Mailbox()
    for number in range(1000):
        box.put(number, is_notice=True)
    taken = list(iter(lambda: box.get(0), None))
    assert taken == list(range(936, 1000))
    assert box.dropped == 0


def test_closing_wakes_whoever_waits_and_nothing_more_is_accepted() -> None:
    box: Mailbox[int] = Mailbox()
    threading.Timer(0.05, box.close).start()
    begin = time.monotonic()
    assert box.get(None) is None
    assert time.monotonic() - begin < 5
    box.put(1)
    assert (box.get(0), box.is_closed) == (None, True)


def test_what_is_held_can_be_taken_after_closing() -> None:
    box: Mailbox[int] = Mailbox()
    box.put(1)
    box.close()
    assert box.get(None) == 1
