from __future__ import annotations

import pytest

from eatrack_edge.core.errors import MachineError
from eatrack_edge.engines.memory_budget import Budget, plan_memory
from eatrack_edge.machine.memory import Memory

MIB = 1 << 20


@pytest.mark.parametrize(
    ("available", "workspace"),
    [(8000, 512), (1600, 400)],
    ids=["at most 512 MiB", "a quarter of what is free"],
)
def test_the_workspace_follows_the_memory_that_is_free(available: int, workspace: int) -> None:
    budget = plan_memory(50 * MIB, Memory(8000 * MIB, available * MIB, 0, 0))
    assert budget == Budget((512 + 8 * 50 + workspace) * MIB, workspace * MIB)


def test_too_little_memory_is_said_before_the_build() -> None:
    with pytest.raises(MachineError) as caught:
        plan_memory(50 * MIB, Memory(4000 * MIB, 800 * MIB, 2000 * MIB, 100 * MIB))
    assert str(caught.value) == (
        "a build takes about 1112 MiB of memory, 900 MiB are free (800 and 100 of swap)\n"
        "hint: close the desktop: sudo systemctl isolate multi-user.target; or add swap"
    )


def test_memory_that_lacks_a_few_bytes_is_seen_to_be_too_little() -> None:
    with pytest.raises(MachineError, match="takes about 1113 MiB of memory, 1112 MiB are free"):
        plan_memory(50 * MIB + 1, Memory(4000 * MIB, 800 * MIB, 2000 * MIB, 312 * MIB))


def test_swap_makes_a_build_possible_but_no_workspace_larger() -> None:
    assert plan_memory(50 * MIB, Memory(4000 * MIB, 800 * MIB, 4000 * MIB, 4000 * MIB)).workspace == 200 * MIB


def test_a_machine_that_does_not_say_is_believed_to_have_enough() -> None:
    assert plan_memory(50 * MIB, Memory(0, 0, 0, 0)).workspace == 512 * MIB
