"""A worker that dies says what it died of: else a red run on another machine tells nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.system
CONFTEST = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from dead_worker import pytest_configure, pytest_configure_node, pytest_testnodedown
"""
TEST = """
import os, signal

def test_of_a_library_that_aborts():
    {}
"""


@pytest.mark.parametrize(
    ("end", "told"),
    [
        ("os.abort()", ["died of SIGABRT", "in test_of_a_library_that_aborts"]),
        ("os.kill(os.getpid(), signal.SIGKILL)", ["died of SIGKILL", "no trace: it was killed, or ended itself"]),
        ("os._exit(3)", ["ended with exit code 3", "no trace: it was killed, or ended itself"]),
    ],
)
def test_a_worker_that_dies_says_what_it_died_of(tmp_path: Path, end: str, told: list[str]) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_one.py").write_text(TEST.format(end))
    command = [sys.executable, "-m", "pytest", "-n", "1", "--maxfail", "1", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(command, stdout=subprocess.PIPE, cwd=tmp_path, text=True, timeout=120)
    for words in told:
        assert words in done.stdout
