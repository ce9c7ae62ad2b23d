"""Compares ``--device`` with the machine: an option never changes what a result says it was measured on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eatrack_edge.core.errors import MachineError, UsageError, did_you_mean
from eatrack_edge.machine.board import Board
from eatrack_edge.machine.devices import KINDS

ENGINE_DEVICES = ("auto", "orin", *KINDS)
DEVICES = ("auto", "cpu", "orin", *KINDS)


@dataclass(frozen=True, slots=True)
class DeviceCheck:
    """The device that the user asked for, and whether this machine is one."""

    asked: str  # one of DEVICES
    is_met: bool  # False: what there is about the asked device is a projection
    note: str = ""


def check_device(asked: str, board: Board, known: Sequence[str] = DEVICES) -> DeviceCheck:
    """Compare the device that was asked for with the board.

    Args:
        asked: One of ``known``.
        board: This machine.
        known: Devices that make sense to the command.

    Raises:
        UsageError: There is no such device.
    """
    if asked not in known:
        raise UsageError(f"no device called `{asked}`", hint=did_you_mean(asked, known, "known devices: {}"))
    if asked in ("auto", "cpu", board.kind) or (asked == "orin" and board.kind):
        return DeviceCheck(asked, is_met=True)
    note = f"this machine is {machine_name(board)}: measured here; for {asked} there is a projection only"
    return DeviceCheck(asked, is_met=False, note=note)


def require_device(asked: str, board: Board) -> None:
    """Refuse to build an engine for another machine: TensorRT tunes it on the GPU of this one.

    Raises:
        UsageError: There is no such device.
        MachineError: This machine is another.
    """
    if not check_device(asked, board, ENGINE_DEVICES).is_met:
        raise MachineError(
            f"--device is {asked}, this machine is {machine_name(board)}",
            hint="an engine is built on the machine that runs it: copy the graphs there and build with --device auto",
        )


def machine_name(board: Board) -> str:
    """The machine's name in a result or a message."""
    return f"{board.model} ({board.module_id})" if board.kind else f"{board.name}, not a Jetson Orin"


def runs_engine(check: DeviceCheck, board: Board) -> bool:
    """Whether a benchmark measures TensorRT: on an Orin, unless its CPU was asked for."""
    return bool(board.kind) and check.asked != "cpu"


def projected_kind(check: DeviceCheck, board: Board) -> str:
    """The kind of device to project for beside a measurement; empty where the machine is one, or the CPU is asked."""
    if check.asked == "auto":
        return "" if board.kind else "orin"
    return "" if check.is_met else check.asked
