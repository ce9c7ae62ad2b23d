from __future__ import annotations

import ctypes
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from eatrack_edge.core.errors import MachineError, MissingExtra
from eatrack_edge.inference.tensorrt import driver, fingerprint
from eatrack_edge.inference.tensorrt.fingerprint import read_fingerprint
from eatrack_edge.inference.tensorrt.manifest import Fingerprint
from eatrack_edge.machine.board import Board


class SimulatedDriver:
    """Answers as libcuda.so.1 does on an Orin with CUDA 12.6; ``codes`` makes functions fail."""

    def __init__(self, **codes: int) -> None:
        self.codes = codes

    def __getattr__(self, function: str) -> Any:
        return lambda *arguments: self.codes.get(function) or self._answer(function, arguments)

    def _answer(self, function: str, arguments: tuple[Any, ...]) -> int:
        if function == "cuDeviceGetName":
            arguments[0].value = b"Orin"
        elif function == "cuDriverGetVersion":
            arguments[0]._obj.value = 12060
        elif function == "cuDeviceGetAttribute":
            arguments[0]._obj.value = {75: 8, 76: 7}[arguments[1]]
        return 0


@pytest.fixture
def tensorrt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorrt", SimpleNamespace(__version__="10.3.0"))


@pytest.mark.usefixtures("tensorrt")
def test_the_fingerprint_is_tensorrts_the_drivers_and_the_boards(monkeypatch: pytest.MonkeyPatch) -> None:
    board = Board("orin-nano", "p3767-0005", "Orin Nano", "36.4.4", "6.2", "aarch64", 8 << 30)
    monkeypatch.setattr(fingerprint, "read_board", lambda: board)
    monkeypatch.setattr(ctypes, "CDLL", lambda _: SimulatedDriver())
    assert read_fingerprint() == Fingerprint("10.3.0", "12.6", "8.7", "Orin", "p3767-0005", "6.2")


def test_without_tensorrt_the_fault_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorrt", None)
    with pytest.raises(MissingExtra, match="cannot read this machine's fingerprint: tensorrt is not installed\nhint: "):
        read_fingerprint()


@pytest.mark.usefixtures("tensorrt")
def test_without_a_driver_the_fault_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise OSError(f"{name}: cannot open shared object file")

    monkeypatch.setattr(ctypes, "CDLL", missing)
    with pytest.raises(
        MachineError, match=r"there is no NVIDIA driver here: libcuda\.so\.1 is not found\nhint: engines"
    ):
        read_fingerprint()


@pytest.mark.usefixtures("tensorrt")
@pytest.mark.parametrize(
    ("codes", "message"),
    [
        pytest.param({"cuInit": 100}, "the NVIDIA driver sees no GPU", id="no GPU"),
        pytest.param({"cuDeviceGet": 999}, "the NVIDIA driver answers cuDeviceGet with error 999", id="another fault"),
    ],
)
def test_what_the_driver_refuses_is_passed_on(
    monkeypatch: pytest.MonkeyPatch, codes: dict[str, int], message: str
) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: SimulatedDriver(**codes))
    with pytest.raises(MachineError, match=f"^{message}\n"):
        read_fingerprint()


def test_a_gpu_is_looked_for_without_tensorrt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorrt", None)
    monkeypatch.setattr(ctypes, "CDLL", lambda _: SimulatedDriver())
    driver.require_gpu()
    monkeypatch.setattr(ctypes, "CDLL", lambda _: SimulatedDriver(cuDeviceGet=100))
    with pytest.raises(MachineError, match="the NVIDIA driver sees no GPU"):
        driver.require_gpu()
