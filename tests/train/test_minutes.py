"""A run that ends by time, and the script that makes one on a GPU."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from eatrack_edge.cli import app
from eatrack_edge.core.errors import InputError
from eatrack_edge.model.checkpoints import build, read_checkpoint
from eatrack_edge.model.registry import architecture
from eatrack_edge.train import loop
from eatrack_edge.train.loader import worker_count
from eatrack_edge.train.loop import Progress, Trainer
from eatrack_edge.train.parallel import World
from eatrack_edge.train.recipe import TrainRecipe
from eatrack_edge.train.run import data_below, open_trainer
from eatrack_edge.train.sampling import Sample

pytestmark = pytest.mark.torch
Recipe = Callable[..., TrainRecipe]
BURST = Path(__file__).parents[2] / "export" / "recipes" / "burst.sh"


@pytest.fixture
def second_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that a step moves on by a second."""
    clock = [0.0]
    step = Trainer.step

    def timed(self: Trainer, sample: Sample) -> dict[str, float]:
        clock[0] += 1
        return step(self, sample)

    monkeypatch.setattr(Trainer, "step", timed)
    monkeypatch.setattr(loop.time, "monotonic", lambda: clock[0])


@pytest.mark.usefixtures("second_a_step")
def test_a_run_with_a_time_limit_ends_with_it_and_so_does_its_schedule(tiny_recipe: Recipe, tmp_path: Path) -> None:
    trainer = open_trainer(tiny_recipe(), tmp_path, World(), limit_s=10)
    seen: list[Progress] = []
    rates: list[float] = []

    def report(progress: Progress) -> None:
        seen.append(progress)
        rates.append(max(group["lr"] for group in trainer.optimiser.param_groups))

    trainer.run(report)
    assert [progress.done for progress in seen] == [8 * step for step in range(1, 11)]  # the recipe has 48 samples
    assert {progress.samples for progress in seen} == {80}
    assert rates[1] == max(rates)
    assert rates[-1] < 0.1 * max(rates)
    assert [bool(progress.row) for progress in seen].count(True) == 4  # at 24, 48, 72 and at the end
    assert (tmp_path / "last.pt").is_file()


@pytest.mark.usefixtures("second_a_step")
def test_a_time_limit_holds_for_each_call_and_until_may_come_first(tiny_recipe: Recipe, tmp_path: Path) -> None:
    first = open_trainer(tiny_recipe(), tmp_path, World(), limit_s=10)
    first.run(lambda _: None, until=16)
    assert first.done == 16
    second = open_trainer(tiny_recipe(), tmp_path, World(), limit_s=3)
    assert second.resume()
    second.run(lambda _: None)
    assert second.done == 40


def test_data_below_another_folder_keeps_its_own_last_name(tiny_recipe: Recipe) -> None:
    data = tiny_recipe().data
    shards = replace(data.sets[0], folder="data/train")
    drawn = replace(data.sets[0], folder="test://?seed=1", layout="synthetic")
    moved = data_below(tiny_recipe(data=replace(data, sets=(shards, drawn))), Path("/mnt"))
    assert [each.folder for each in moved.data.sets] == ["/mnt/train", "test://?seed=1"]


def test_data_that_is_not_below_the_folder_of_the_option_is_named(tmp_path: Path) -> None:
    command = ["train", "eatrack_s_further", "--data", str(tmp_path), "-o", str(tmp_path / "run")]
    error = CliRunner().invoke(app, command).exception
    assert isinstance(error, InputError)
    assert error.message == f"{tmp_path}/train: holds no training shards"
    assert "recipe" not in error.hint


def test_a_gpu_has_all_cores_but_one_make_samples_in_bf16_and_a_cpu_none(
    tiny_recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(16)))
    gpu = World(device=torch.device("cuda", 0))
    assert [worker_count(None, World()), worker_count(None, gpu), worker_count(4, gpu)] == [0, 15, 4]
    assert worker_count(None, World(1, 4, gpu.device)) == 3
    monkeypatch.setattr(torch, "compile", lambda function: (function, "compiled"))
    trainer = open_trainer(tiny_recipe(precision="auto", compile=True), tmp_path, World())
    network, sampler, folder = trainer.network, trainer.sampler, trainer.folder
    assert (trainer._is_bf16, trainer._forward) == (False, loop.trace)
    compiled = Trainer(trainer.recipe, network, sampler, folder, among=gpu)
    assert (compiled._is_bf16, compiled._forward) == (True, (loop.trace, "compiled"))


def burst(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    known = {**os.environ, "PYTHON": sys.executable, **environment}
    return subprocess.run([BURST, *map(str, arguments)], env=known, capture_output=True, text=True, check=False)


@pytest.mark.system
def test_a_burst_trains_for_its_minutes_and_leaves_parts_that_join_to_its_weights(tmp_path: Path) -> None:
    began = time.monotonic()
    done = burst(0.05, tmp_path, "eatrack_tiny", tmp_path / "out", PART="100K", GPUS="0")
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - began > 3
    carry = tmp_path / "out" / "carry"
    parts = sorted(carry.glob("eatrack_tiny.safetensors.part-*"))
    assert len(parts) > 1
    assert max(part.stat().st_size for part in parts) <= 100 * 1024
    assert {path.name for path in carry.iterdir()} >= {"log.csv", "curve.svg", "eatrack_tiny.safetensors.sha256"}
    joined = tmp_path / "joined.safetensors"
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    digest = hashlib.sha256(joined.read_bytes()).hexdigest()
    assert (carry / "eatrack_tiny.safetensors.sha256").read_text() == f"{digest}  eatrack_tiny.safetensors\n"
    build(architecture("eatrack_tiny"), read_checkpoint(joined))
    told = done.stdout.splitlines()[-1].removeprefix("to join: ")
    rejoined = subprocess.run(told, shell=True, cwd=carry, capture_output=True, text=True, check=False)
    assert rejoined.stdout == "eatrack_tiny.safetensors: OK\n"


def test_a_burst_without_its_minutes_says_how_it_is_called() -> None:
    done = burst()
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "usage: export/recipes/burst.sh MINUTES DATA [RECIPE] [OUTPUT]\n"
