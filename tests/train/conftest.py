from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from eatrack_edge.core.crops import Frame


def draw_target(rng: np.random.Generator, side: int = 160) -> tuple[Frame, tuple[float, float, float, float]]:
    """A bright ellipse with a mark on a dull background, and its box."""
    picture = rng.integers(60, 120, (side // 8, side // 8, 3), dtype=np.uint8)
    picture = cv2.resize(picture, (side, side), interpolation=cv2.INTER_CUBIC)
    w, h = (int(v) for v in rng.integers(24, 44, 2))
    x, y = (int(v) for v in rng.integers(40, side - 90, 2))
    colour = tuple(int(v) for v in rng.choice([20, 250], 3))
    cv2.ellipse(picture, (x + w // 2, y + h // 2), (w // 2, h // 2), 0, 0, 360, colour, -1)
    cv2.circle(picture, (x + w // 2, y + h // 2), 4, (255 - colour[0], 255 - colour[1], 255 - colour[2]), -1)
    return picture, (float(x), float(y), float(w), float(h))


def write_shard(folder: Path, source: str, rows: list[dict[str, object]], pictures: list[Frame]) -> None:
    with tarfile.open(folder / f"{source}.tar", "w") as tar:
        for row, picture in zip(rows, pictures, strict=True):
            data = cv2.imencode(".webp", picture)[1].tobytes()
            member = tarfile.TarInfo(str(row["file"]))
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    (folder / f"{source}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.fixture(scope="session")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sources: `moving` has six clips of four pictures, `still` has forty stills."""
    folder = tmp_path_factory.mktemp("shards")
    rng = np.random.default_rng(7)
    for source, clips, length in (("moving", 6, 4), ("still", 40, 1)):
        rows: list[dict[str, object]] = []
        pictures = []
        for clip in range(clips):
            picture, box = draw_target(rng)
            for time in range(length):
                row = {
                    "file": f"{len(rows):06d}.webp",
                    "box": [box[0] + time, *box[1:]],
                    "w": 160,
                    "h": 160,
                    "label": "o",
                }
                rows.append(row | ({"clip": f"c{clip}", "t": 10 * time} if length > 1 else {}))
                pictures.append(np.roll(picture, time, axis=1))
        write_shard(folder, source, rows, pictures)
    return folder


@pytest.fixture
def tiny_recipe(shards: Path) -> Callable[..., object]:
    """A recipe for the tiny model on the session's shards; keywords replace fields."""
    # Only here: other tests of this folder's fixtures must import without torch.
    from eatrack_edge.train.recipe import DataRecipe, OptimiserRecipe, SetRecipe, TrainRecipe

    optimiser = OptimiserRecipe(batch=8, head_rate=2e-3, joint_rate=2e-3, separate_rate=2e-3, average=0.95)
    data = DataRecipe(
        sets=(SetRecipe(str(shards)),), held_out_sources=("moving",), held_out_every_clip=3, pairs=6, calibration=16
    )
    recipe = TrainRecipe("eatrack_tiny", data, samples=48, judge_every=24, save_every_s=1e9, optimiser=optimiser)
    return lambda **fields: replace(recipe, **fields)
