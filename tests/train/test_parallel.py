from __future__ import annotations

import os
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.multiprocessing as mp

from eatrack_edge.core.errors import ConfigError
from eatrack_edge.train.log import read_log
from eatrack_edge.train.loop import LAST
from eatrack_edge.train.parallel import SharedBatchNorm, World, world
from eatrack_edge.train.recipe import TrainRecipe
from eatrack_edge.train.run import open_trainer

pytestmark = pytest.mark.torch


def run(rank: int, size: int, port: int, recipe: TrainRecipe, folder: Path) -> None:
    torch.set_num_threads(1)
    if size > 1:
        where = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
        os.environ.update(where | {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(size)})
    with world() as among:
        open_trainer(recipe, folder, among).run(lambda _progress: None)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def test_two_processes_take_the_steps_of_one(tiny_recipe: Callable[..., TrainRecipe], tmp_path: Path) -> None:
    base = tiny_recipe(samples=32, judge_every=8)
    # Adam's first steps are the gradient's sign, which rounding can turn: small rates keep the two runs comparable.
    recipe = replace(base, optimiser=replace(base.optimiser, head_rate=1e-4, joint_rate=1e-4, separate_rate=1e-4))
    for size in (1, 2):
        (tmp_path / str(size)).mkdir()
        mp.start_processes(run, (size, free_port(), recipe, tmp_path / str(size)), nprocs=size, start_method="spawn")
    one, two = (read_log(tmp_path / str(size) / "log.csv") for size in (1, 2))
    assert len(one) == len(two) == 4
    for alone, shared in zip(one, two, strict=True):
        for key in ("total", "focal", "l1", "giou", "log_size", "gradient"):
            assert shared[key] == pytest.approx(alone[key], rel=2e-3, abs=2e-4), key
    weights = [torch.load(tmp_path / str(size) / LAST, weights_only=True)["modules"]["network"] for size in (1, 2)]
    for key, value in weights[0].items():
        if value.is_floating_point():
            torch.testing.assert_close(weights[1][key], value, rtol=1e-2, atol=2e-3, msg=key)


def test_a_batch_that_cannot_be_shared_is_refused(tiny_recipe: Callable[..., TrainRecipe], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="a batch of 8 cannot be shared among 3 processes"):
        open_trainer(tiny_recipe(), tmp_path, World(rank=0, size=3))


def start_differently(rank: int, size: int, port: int, recipe: TrainRecipe, folder: Path) -> None:
    """As ``run``, with a start that is another in every process."""
    environment = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    os.environ.update(environment | {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(size)})
    torch.set_num_threads(1)
    with world() as among:
        trainer = open_trainer(replace(recipe, seed=rank), folder, among)
        states = [module.state_dict() for module in (*trainer.trained, trainer.average.network)]
        torch.save(states, folder / f"{rank}.pt")


def test_every_process_starts_from_the_weights_of_the_first(
    tiny_recipe: Callable[..., TrainRecipe], tmp_path: Path
) -> None:
    mp.start_processes(start_differently, (2, free_port(), tiny_recipe(), tmp_path), nprocs=2, start_method="spawn")
    first, second = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(2))
    for one, other in zip(first, second, strict=True):
        for key, value in one.items():
            assert torch.equal(other[key], value), key


def normalise(rank: int, size: int, port: int, folder: Path) -> None:
    environment = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    os.environ.update(environment | {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(size)})
    with world():
        layer = SharedBatchNorm(3)
        out = layer(far_from_zero()[rank::size])
        torch.save({"out": out.detach(), "var": layer.running_var}, folder / f"{rank}.pt")


def far_from_zero() -> torch.Tensor:
    return 1000 + 0.01 * torch.randn(4, 3, 4, 4, generator=torch.Generator().manual_seed(0))


def test_the_variance_is_right_where_the_mean_is_large(tmp_path: Path) -> None:
    mp.start_processes(normalise, (2, free_port(), tmp_path), nprocs=2, start_method="spawn")
    layer = torch.nn.BatchNorm2d(3).double()
    wanted = layer(far_from_zero().double())
    for rank in range(2):
        got = torch.load(tmp_path / f"{rank}.pt", weights_only=True)
        torch.testing.assert_close(got["out"].double(), wanted[rank::2].detach(), rtol=0.02, atol=0.02)
        torch.testing.assert_close(got["var"].double(), layer.running_var, rtol=1e-3, atol=1e-6)
