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


STOPPED_IN_AN_IMPORT = """
import os, signal, sys

signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it


class StopsAtTrain:
    def find_spec(self, name, path=None, target=None):
        if name == "eatrack_edge.cli.train":
            os.kill(os.getpid(), signal.SIGINT)


sys.meta_path.insert(0, StopsAtTrain())
from eatrack_edge.__main__ import main

main()
"""


def test_ctrl_c_while_the_commands_are_being_imported_leaves_no_traceback() -> None:
    done = subprocess.run([sys.executable, "-c", STOPPED_IN_AN_IMPORT], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_the_installed_script_is_the_module() -> None:
    text = (Path(__file__).parents[2] / "pyproject.toml").read_text()
    assert '\neatrack-edge = "eatrack_edge.__main__:main"\n' in text
