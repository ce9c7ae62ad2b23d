from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from eatrack_edge.cli.train import train
from eatrack_edge.core.errors import InputError, UsageError

pytestmark = pytest.mark.torch
RECIPE = """
model = "eatrack_tiny"
samples = 16
judge_every = 8
[data]
pairs = 0
[[data.sets]]
layout = "synthetic"
folder = "test://?seed=1&frames=12&width=160&height=120"
clips = 1
[optimiser]
batch = 4
"""


@pytest.fixture
def app() -> typer.Typer:
    app = typer.Typer()
    app.command()(train)
    return app


def test_a_recipe_becomes_weights_in_two_runs(app: typer.Typer, tmp_path: Path) -> None:
    (tmp_path / "small.toml").write_text(RECIPE)
    command = [str(tmp_path / "small.toml"), "--output", str(tmp_path / "run")]
    first = CliRunner().invoke(app, [*command, "--stop-after", "8"])
    assert first.exit_code == 0, first.output
    assert "eatrack_tiny: 8/16 samples" in first.output
    second = CliRunner().invoke(app, command)
    assert "eatrack_tiny: 16/16 samples" in second.output
    assert "8/16" not in second.output
    weights, graphs = tmp_path / "run" / "eatrack_tiny.safetensors", tmp_path / "run" / "graphs"
    assert second.output.splitlines()[-1] == f"next: eatrack-edge export {weights} -o {graphs}"
    assert {path.name for path in (tmp_path / "run").iterdir()} == {
        "last.pt",
        "log.csv",
        "curve.svg",
        "eatrack_tiny.safetensors",
    }


def test_data_that_is_missing_is_said_to_be_named_in_the_recipe(app: typer.Typer, tmp_path: Path) -> None:
    recipe = tmp_path / "mine.toml"
    recipe.write_text(
        re.sub(r"layout = .*\nfolder = .*\nclips = 1", f'layout = "shards"\nfolder = "{tmp_path}/no"', RECIPE)
    )
    error = CliRunner().invoke(app, [str(recipe), "-o", str(tmp_path / "run")]).exception
    assert isinstance(error, InputError)
    assert error.message == f"{tmp_path}/no: holds no training shards"
    assert error.hint.endswith(f"; the training data is named in {recipe}, under [[data.sets]]")


def test_an_unknown_recipe_names_the_known_ones(app: typer.Typer) -> None:
    unknown = CliRunner().invoke(app, ["yolo"]).exception
    assert isinstance(unknown, UsageError)
    assert unknown.message == "no training recipe called `yolo`"
    assert unknown.hint.startswith("known recipes: eatrack_deit, eatrack_deit_paper, ")
    misspelt = CliRunner().invoke(app, ["eatrack_tinny"]).exception
    assert str(misspelt) == "no training recipe called `eatrack_tinny`\nhint: did you mean `eatrack_tiny`?"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_run_saves_its_state_and_goes_on_from_it(tmp_path: Path, number: int) -> None:
    (tmp_path / "long.toml").write_text(RECIPE.replace("samples = 16", "samples = 4000"))
    command = [sys.executable, "-m", "eatrack_edge", "train", str(tmp_path / "long.toml"), "-o", str(tmp_path / "run")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        assert "samples" in process.stderr.readline()  # of the first step
        process.send_signal(number)
        said = process.stderr.read()
    assert process.returncode == 130
    last = said.strip().splitlines()[-1]
    found = re.fullmatch(
        r"error: stopped: .*/last\.pt holds the run after (\d+) of 4000 samples; the same command goes on", last
    )
    assert found
    more = subprocess.run([*command, "--stop-after", str(int(found[1]) + 4)], capture_output=True, text=True)
    assert more.returncode == 0, more.stderr
    assert f"{int(found[1]) + 4}/4000 samples" in more.stderr
    assert "4/4000" not in more.stderr.replace(f"{int(found[1]) + 4}/4000", "")
