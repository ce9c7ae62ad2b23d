from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from eatrack_edge.core.errors import OutputError
from eatrack_edge.datasets.shards import read_shards
from eatrack_edge.train.decoded_pictures import decode_once
from eatrack_edge.train.loader import batches
from eatrack_edge.train.parallel import World
from eatrack_edge.train.recipe import TrainRecipe
from eatrack_edge.train.run import open_data
from eatrack_edge.train.sampling import Sampler

pytestmark = pytest.mark.torch


def test_decoded_pictures_are_those_of_the_shards_and_cannot_be_changed(shards: Path) -> None:
    targets = read_shards(shards)
    for plain, decoded in zip(targets, decode_once(targets), strict=True):
        assert (decoded.source, decoded.clip) == (plain.source, plain.clip)
        for one, other in zip(plain.crops, decoded.crops, strict=True):
            assert (other.name, other.box, other.time, other.encoded) == (one.name, one.box, one.time, b"")
            np.testing.assert_array_equal(other.picture(), one.picture())
            assert not other.picture().flags.writeable


@pytest.mark.parametrize("workers", [0, 2], ids=["here", "in workers"])
def test_samples_are_the_same_from_decoded_pictures(tiny_recipe: Callable[..., TrainRecipe], workers: int) -> None:
    recipe = tiny_recipe()
    drawn = []
    for data, count in ((recipe.data, 0), (replace(recipe.data, decode_once=True), workers)):
        pool, _ = open_data(data)
        sampler = Sampler(pool, recipe.sampling, recipe.augment, 64, 128, seed=3)
        drawn.append(list(batches(sampler, 0, 12, 4, World(), count)))
    assert len(drawn[0]) == len(drawn[1]) == 3
    for one, other in zip(*drawn, strict=True):
        for part, same in zip(one, other, strict=True):
            assert torch.equal(part, same)


def test_a_folder_that_takes_no_pictures_is_named_with_the_way_out(
    shards: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(shards / "no"))
    with pytest.raises(OutputError, match="cannot be kept in the folder for temporary files: no such file") as caught:
        decode_once(read_shards(shards))
    assert caught.value.hint == "name another folder in TMPDIR, or leave data.decode_once out"
