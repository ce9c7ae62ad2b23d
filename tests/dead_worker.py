"""Says what a worker of pytest-xdist died of: its signal or exit code, and where each of its threads was.

On its own, pytest-xdist says that a worker is down, and a trace on standard error is often cut off from the report.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import tempfile
from pathlib import Path
from typing import Any

import pytest


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """In the controller, before a worker starts."""
    descriptor, node.workerinput["trace"] = tempfile.mkstemp(prefix="worker-", suffix=".trace")
    os.close(descriptor)


@pytest.hookimpl(trylast=True)  # after pytest's own, which writes to standard error
def pytest_configure(config: pytest.Config) -> None:
    if path := getattr(config, "workerinput", {}).get("trace"):
        faulthandler.enable(file=os.open(path, os.O_WRONLY))  # for as long as the worker lives


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object | None) -> None:
    trace = Path(node.workerinput["trace"])
    if error:
        reporter = node.config.pluginmanager.getplugin("terminalreporter")
        reporter.write_line(f"\n[{node.gateway.id}] {_end_of(node.gateway._io.popen.wait(10))}")
        reporter.write_line(trace.read_text() or "no trace: it was killed, or ended itself")
    trace.unlink(missing_ok=True)


def _end_of(code: int) -> str:
    return f"died of {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
