from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from typer.main import get_command

from docker.dockerfiles import ROOT
from eatrack_edge.cli import app


@pytest.fixture
def commands(tmp_path: Path) -> Path:
    """A stand-in for eatrack-edge, simulated: writes down how it was called; a build fails where told to."""
    program = tmp_path / "eatrack-edge"
    program.write_text(
        f'#!/bin/sh\necho "$*" >> {tmp_path}/calls\necho answer\n[ "$1" != build ] || exit "${{BUILD_EXIT:-0}}"\n'
    )
    program.chmod(0o755)
    return tmp_path / "calls"


def start(calls: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    folder = calls.parent
    return subprocess.run(
        ["sh", str(ROOT / "docker" / "entrypoint.sh"), *arguments],
        env={"PATH": f"{folder}:{os.environ['PATH']}", "EATRACK_HOME": str(folder / "home"), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("command", ["track", "bench"])
def test_engines_are_seen_to_before_they_are_needed(commands: Path, command: str) -> None:
    assert start(commands, command, "a b.mp4").returncode == 0
    assert commands.read_text() == f"build eatrack_s --device auto --precision fp16\n{command} a b.mp4\n"


def test_another_model_and_precision_may_be_named(commands: Path) -> None:
    start(commands, "track", "x.mp4", EATRACK_MODEL="/data/my graphs", EATRACK_PRECISION="int8-fp16")
    assert commands.read_text().splitlines()[0] == "build /data/my graphs --device auto --precision int8-fp16"


def test_what_the_build_says_does_not_mix_with_the_answer(commands: Path) -> None:
    assert start(commands, "bench", "--json").stdout == "answer\n"


def test_the_doctor_needs_no_engine(commands: Path) -> None:
    start(commands, "doctor")
    start(commands)
    assert commands.read_text() == "doctor\n\n"


def test_a_build_that_fails_ends_the_start(commands: Path) -> None:
    assert start(commands, "track", "x.mp4", BUILD_EXIT="3").returncode == 3
    assert commands.read_text().splitlines() == ["build eatrack_s --device auto --precision fp16"]


def test_build_takes_what_the_entry_point_gives_it() -> None:
    options = {name for parameter in get_command(app).commands["build"].params for name in parameter.opts}  # type: ignore[attr-defined]
    assert {"--device", "--precision"} <= options
