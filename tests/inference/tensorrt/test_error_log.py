from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest

from eatrack_edge.core.errors import MissingExtra
from eatrack_edge.inference.tensorrt import error_log
from inference import simulated_cuda, simulated_tensorrt


@pytest.fixture
def severity(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    simulated_tensorrt.install(monkeypatch, simulated_cuda.install(monkeypatch, "cuda-python"))
    error_log.logger.cache_clear()
    yield sys.modules["tensorrt"].ILogger.Severity
    error_log.logger.cache_clear()


def test_the_first_error_since_the_last_call_is_told_in_one_line(severity: Any) -> None:
    log = error_log.logger()
    log.log(severity.WARNING, "it may be slow")
    log.log(severity.ERROR, "out of\n  memory")
    log.log(severity.INTERNAL_ERROR, "and more")
    assert error_log.take_error() == "out of memory"
    assert error_log.take_error() == "TensorRT gives no reason"
    log.log(severity.INTERNAL_ERROR, "a fault")
    assert error_log.take_error() == "a fault"


@pytest.mark.usefixtures("severity")
def test_a_process_has_one_log() -> None:
    assert error_log.logger() is error_log.logger()


def test_without_tensorrt_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    error_log.logger.cache_clear()
    monkeypatch.setitem(sys.modules, "tensorrt", None)
    with pytest.raises(MissingExtra, match="cannot run an engine: tensorrt is not installed"):
        error_log.logger()
