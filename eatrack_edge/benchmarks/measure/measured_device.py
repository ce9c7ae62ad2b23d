"""``--device`` is a claim. What a result says it was measured on comes from the machine, never from the claim."""

from __future__ import annotations

from eatrack_edge.benchmarks.measure.result import Claim
from eatrack_edge.core.errors import UsageError, did_you_mean
from eatrack_edge.machine.board import Board
from eatrack_edge.machine.devices import KINDS

DEVICES = ("auto", "cpu", "orin", *KINDS)


def check_device(asked: str, board: Board) -> Claim:
    """Hold what was asked for against what the machine is.

    Raises:
        UsageError: There is no such device.
    """
    if asked not in DEVICES:
        raise UsageError(f"no device called `{asked}`", hint=did_you_mean(asked, DEVICES, "known devices: {}"))
    if asked in ("auto", "cpu") or asked == board.kind or (asked == "orin" and board.kind):
        return Claim(asked, is_met=True)
    return Claim(
        asked,
        is_met=False,
        note=f"this is no {asked} but {measured_on(board)}: measured here; for {asked} there is a projection only",
    )


def measured_on(board: Board) -> str:
    """The machine's name in a result."""
    return f"{board.model} ({board.module_id})" if board.kind else f"{board.name}, not a Jetson Orin"


def runs_engine(claim: Claim, board: Board) -> bool:
    """Whether TensorRT is what is to be measured: on an Orin, unless its CPU was asked for."""
    return bool(board.kind) and claim.asked != "cpu"


def projected_kind(claim: Claim, board: Board) -> str:
    """The kind of device to project for beside the measurement; empty where it is met, or only the CPU is asked for."""
    if claim.asked == "auto":
        return "" if board.kind else "orin"
    return "" if claim.is_met else claim.asked
