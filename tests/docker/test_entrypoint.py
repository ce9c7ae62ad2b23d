from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from docker.dockerfiles import ROOT
from eatrack_edge.manifest import engine_paths


@pytest.fixture
def commands(tmp_path: Path) -> Path:
    """A stand-in for eatrack-edge, simulated: writes down how it was called; a build fails where told to."""
    program = tmp_path / "eatrack-edge"
    program.write_text(f'#!/bin/sh\necho "$*" >> {tmp_path}/calls\n[ "$1" != build ] || exit "${{BUILD_EXIT:-0}}"\n')
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


def test_the_first_start_builds_the_engines_and_then_tracks(commands: Path) -> None:
    done = start(commands, "track", "a b.mp4")
    assert done.returncode == 0
    assert commands.read_text() == "build eatrack_s --device auto --precision fp16\ntrack a b.mp4\n"
    assert done.stderr == "first start: building eatrack_s in fp16 for this board\n"


@pytest.mark.parametrize("precision", ["fp32", "fp16", "int8-fp16"])
def test_later_starts_build_nothing(commands: Path, precision: str) -> None:
    for engine in engine_paths("mine", precision, commands.parent / "home" / "engines"):
        engine.parent.mkdir(parents=True, exist_ok=True)
        engine.touch()
    start(commands, "bench", EATRACK_MODEL="mine", EATRACK_PRECISION=precision)
    assert commands.read_text() == "bench\n"


def test_the_doctor_needs_no_engine(commands: Path) -> None:
    start(commands, "doctor")
    start(commands)
    assert commands.read_text() == "doctor\n\n"


def test_a_build_that_fails_ends_the_start(commands: Path) -> None:
    assert start(commands, "track", "x.mp4", BUILD_EXIT="3").returncode == 3
    assert commands.read_text().splitlines() == ["build eatrack_s --device auto --precision fp16"]
