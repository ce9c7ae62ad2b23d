from __future__ import annotations

import subprocess
import sys
from pathlib import Path

STOPPED_IN_A_TEXT = """
from eatrack_edge import cli
from eatrack_edge.cli.stopping import Stopped


def stopped():
    try:
        exec("raise KeyboardInterrupt")
    except KeyboardInterrupt:
        raise Stopped("nothing was written") from None


cli.app = stopped
cli.main()
"""


def test_an_interrupt_that_a_command_answered_does_not_kill_the_process(tmp_path: Path) -> None:
    """As when Ctrl-C comes while a library makes a dataclass: the exit code is the command's, not -2."""
    (tmp_path / "stopped").mkdir()
    (tmp_path / "stopped" / "__main__.py").write_text(STOPPED_IN_A_TEXT)
    done = subprocess.run([sys.executable, "-m", "stopped"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, "error: stopped: nothing was written\n")
