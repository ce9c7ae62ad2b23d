from __future__ import annotations

import os
from pathlib import Path

from eatrack_edge.machine.memory import Memory, read_memory, rss_bytes
from machine.boards import Tree


def test_memory_and_swap_are_read_in_bytes(nano: Tree) -> None:
    expected = Memory(*(kib * 1024 for kib in (7_801_712, 5_123_456, 3_900_848, 3_800_000)))
    assert read_memory(nano.root) == expected


def test_a_board_without_swap_has_none(agx: Tree) -> None:
    assert read_memory(agx.root).swap_total == 0


def test_a_machine_that_does_not_say_has_zeros(tmp_path: Path) -> None:
    assert read_memory(tmp_path) == Memory(0, 0, 0, 0)
    assert rss_bytes(tmp_path) == 0


def test_the_resident_size_is_the_second_field_in_pages(nano: Tree) -> None:
    assert rss_bytes(nano.root) == 1234 * os.sysconf("SC_PAGE_SIZE")


def test_this_process_grows_by_what_it_takes() -> None:
    before = rss_bytes()
    taken = bytearray(os.urandom(1 << 20)) * 64
    assert rss_bytes() - before > 0.9 * len(taken)
