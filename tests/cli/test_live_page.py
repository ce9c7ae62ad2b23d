"""The commands of docs/live.md: those that need no camera run, and the options of the others are read."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from cli.conftest import Run
from eatrack_edge.sources.synthetic import SyntheticSource

pytestmark = pytest.mark.usefixtures("opened_once")
PAGE = Path(__file__).parents[2] / "docs" / "live.md"
BLOCKS = re.findall(r"^```sh([^\n]*)\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def commands(*marks: str) -> list[str]:
    return [line for mark, block in BLOCKS if mark.strip() in marks for line in block.splitlines()]


def test_the_commands_run_in_their_order(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in (("width", 160), ("height", 120), ("frames", 5)):  # a smaller scene is drawn sooner
        monkeypatch.setitem(SyntheticSource.__init__.__kwdefaults__, name, value)
    for command in commands(""):
        line, _, target = command.replace("frames=30", "frames=5").partition(" > ")
        program, *arguments = shlex.split(line)
        if program == "echo":
            Path(target).write_text(" ".join(arguments) + "\n")
            continue
        done = run(*arguments)
        assert done.code == 0, (command, done.err)
        if target:
            Path(target).write_text(done.out)
    assert {path.name for path in tmp_path.iterdir()} >= {
        "realtime.jsonl",
        "fly.jsonl",
        "fly.csv",
        "fly.mp4",
        "fly.toml",
    }


@pytest.mark.parametrize("command", commands("camera", "jetson"))
def test_the_options_of_a_command_for_a_camera_are_read(run: Run, command: str) -> None:
    done = run(*shlex.split(command)[1:], "--print-config")
    assert done.code == 0, done.err
    assert f'source = "{shlex.split(command)[2]}"' in done.out
