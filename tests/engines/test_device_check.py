from __future__ import annotations

import pytest

from eatrack_edge.core.errors import MachineError, UsageError
from eatrack_edge.engines.device_check import check_claim
from eatrack_edge.machine.board import Board

NANO = Board("orin-nano", "p3767-0005", "Orin Nano", "36.4.3", "6.2", "Cortex-A78AE", 8 << 30)
PC = Board("", "", "Some PC", "", "", "Some CPU", 8 << 30)


@pytest.mark.parametrize("device", ["auto", "orin-nano"])
def test_the_truth_is_accepted(device: str) -> None:
    check_claim(device, NANO)


@pytest.mark.parametrize(
    ("device", "board", "message"),
    [
        ("agx-orin", NANO, "--device says agx-orin, this machine is orin-nano (p3767-0005)"),
        ("orin-nx", PC, "--device says orin-nx, this machine is no Jetson Orin but Some PC"),
    ],
    ids=["another board", "no board"],
)
def test_a_false_claim_names_both_sides(device: str, board: Board, message: str) -> None:
    with pytest.raises(MachineError) as caught:
        check_claim(device, board)
    assert str(caught.value) == (
        f"{message}\nhint: an engine is built on the machine that runs it: copy the graphs there and build with "
        "--device auto"
    )


def test_an_unknown_device_is_refused_with_a_suggestion() -> None:
    with pytest.raises(UsageError, match="no kind of device called `orin-nan`\nhint: did you mean `orin-nano`"):
        check_claim("orin-nan", NANO)
