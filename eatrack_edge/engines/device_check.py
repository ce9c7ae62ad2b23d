"""Holds the user's word about this machine against what the machine says of itself."""

from __future__ import annotations

from eatrack_edge.core.errors import MachineError, UsageError, did_you_mean
from eatrack_edge.machine.board import Board
from eatrack_edge.machine.devices import KINDS


def check_claim(device: str, board: Board) -> None:
    """Refuse to build for a machine that is not this one. TensorRT tunes on the GPU that is there.

    Args:
        device: One of ``KINDS``, or ``auto`` for whatever this is.
        board: This machine.

    Raises:
        UsageError: There is no such kind of device.
        MachineError: This machine is another.
    """
    known = ("auto", *KINDS)
    if device not in known:
        raise UsageError(f"no kind of device called `{device}`", hint=did_you_mean(device, known))
    if device not in ("auto", board.kind):
        this = f"{board.kind} ({board.module_id})" if board.kind else f"no Jetson Orin but {board.name}"
        raise MachineError(
            f"--device says {device}, this machine is {this}",
            hint="an engine is built on the machine that runs it: copy the graphs there and build with --device auto",
        )
