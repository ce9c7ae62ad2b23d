"""From a recipe to a run: data, network, teacher, and the weights at its end."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import cv2
import torch

from eatrack_edge.core.errors import ConfigError, OutputError
from eatrack_edge.core.io import write_whole
from eatrack_edge.core.model_spec import Cropping, ModelSpec
from eatrack_edge.core.reasons import reason_of
from eatrack_edge.datasets.shards import read_shards
from eatrack_edge.model.architecture import Architecture
from eatrack_edge.model.checkpoints import build, read_checkpoint, write_checkpoint
from eatrack_edge.model.eatrack import EATrack
from eatrack_edge.model.registry import architecture
from eatrack_edge.train.box_teacher import teach
from eatrack_edge.train.closed_loop import open_closed_loop
from eatrack_edge.train.confidence_calibration import Calibration, calibrate, calibration_sampling
from eatrack_edge.train.decoded_pictures import decode_once
from eatrack_edge.train.distillation import Distillation, DistillationRecipe
from eatrack_edge.train.log import draw_curve, read_log
from eatrack_edge.train.loop import LAST, Progress, Trainer
from eatrack_edge.train.narrow import FITTED_TO, narrow
from eatrack_edge.train.pairs import Pairs, make_pairs
from eatrack_edge.train.parallel import World, broadcast
from eatrack_edge.train.pool import MixedPool, Pool
from eatrack_edge.train.pretrained import start
from eatrack_edge.train.recipe import DataRecipe, SetRecipe, TrainRecipe
from eatrack_edge.train.sampling import PADDING_BGR, Sampler, SamplingRecipe, normalised
from eatrack_edge.train.sequence_pool import SequencePool, read_tracks
from eatrack_edge.train.shard_pool import ShardPool, balance, split_held_out, weigh
from eatrack_edge.train.synthetic_pool import SyntheticPool


class StopTraining(Exception):
    """Raised by ``report`` to stop a run between two steps, where its state can be saved."""


def train(
    recipe: TrainRecipe,
    folder: Path,
    among: World,
    report: Callable[[Progress], None],
    until: int | None = None,
    limit_s: float | None = None,
) -> Path:
    """Carry out a recipe, or go on with it where ``folder`` holds the state of an unfinished run.

    Args:
        recipe: All choices.
        folder: Takes ``last.pt``, ``log.csv``, ``curve.svg`` and the weights; made if need be.
        among: This process and its peers.
        report: Called after every step; may raise ``StopTraining``.
        until: Stop after so many samples; a later call goes on from there. ``None`` is the whole recipe.
        limit_s: Learn for so long instead, whatever the recipe's samples are; the schedule ends with this time.
            Opening the data before and calibrating after it are not in it.

    Returns:
        The averaged weights, float16, ``<model>.safetensors`` in ``folder``, with the model specification that crops
        must keep and, where targets are held out, with the confidence's calibration.

    Raises:
        EATrackError: The recipe, its data or its weights are not what they should be, or training diverged.
        StopTraining: ``report`` has raised it; the state is saved.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be made: {reason_of(error)}") from error
    trainer = open_trainer(recipe, folder, among, limit_s)
    trainer.resume()
    try:
        trainer.run(report, until)
    except StopTraining:
        trainer.save()
        raise
    result = folder / f"{recipe.model}.safetensors"
    if among.is_first:
        metadata = model_spec(recipe.model, recipe.sampling).checkpoint_metadata()
        found = _calibration(trainer.average.network, recipe)
        if found is not None:
            metadata |= found.to_metadata()
            table = json.dumps(asdict(found), indent=2)
            write_whole(folder / "calibration.json", table + "\n")
        write_checkpoint(result, trainer.average.network, metadata, half=True)
        write_whole(folder / "curve.svg", draw_curve(read_log(folder / "log.csv"), recipe.model))
    return result


def open_trainer(recipe: TrainRecipe, folder: Path, among: World, limit_s: float | None = None) -> Trainer:
    """A trainer at the beginning of a recipe.

    Raises:
        EATrackError: The recipe, its data or its weights are not what they should be.
    """
    if recipe.optimiser.batch % among.size:
        raise ConfigError(f"a batch of {recipe.optimiser.batch} cannot be shared among {among.size} processes")
    torch.set_num_threads(recipe.threads)
    cv2.setNumThreads(1)
    torch.manual_seed(recipe.seed)
    shape = architecture(recipe.model)
    pool, held_out = open_data(recipe.data)
    sampler = Sampler(pool, recipe.sampling, recipe.augment, shape.template_size, shape.search_size, recipe.seed)
    network = _start(recipe, shape, sampler, goes_on=(folder / LAST).is_file()).to(among.device)
    pairs = _pairs(held_out, recipe, shape) if among.is_first else None
    teacher = _teacher(recipe.distillation, shape, among) if recipe.distillation.teacher else None
    loop = open_closed_loop(recipe.validate_closed_loop, recipe.data, model_spec(recipe.model, recipe.sampling))
    trainer = Trainer(
        recipe,
        network,
        sampler,
        folder,
        pairs=pairs,
        teacher=teacher,
        among=among,
        closed_loop=loop,
        limit_s=limit_s,
    )
    broadcast([*trainer.trained, trainer.average.network], among)
    return trainer


def data_below(recipe: TrainRecipe, folder: Path) -> TrainRecipe:
    """The recipe with its folders of data below another one, each under its own last name; synthetic data stays."""
    sets = tuple(
        each if each.layout == "synthetic" else replace(each, folder=str(folder / Path(each.folder).name))
        for each in recipe.data.sets
    )
    return replace(recipe, data=replace(recipe.data, sets=sets))


def open_data(recipe: DataRecipe) -> tuple[Pool, Pool | None]:
    """The pool to train from, and the held-out one; ``None`` where nothing is held out.

    Raises:
        InputError: A folder does not hold what its layout says.
        ConfigError: An unknown layout or source.
    """
    opened = [_open_set(each, recipe) for each in recipe.sets]
    pool = MixedPool([train for train, _ in opened], [each.weight for each in recipe.sets])
    held = [held_out for _, held_out in opened if held_out is not None]
    return pool, MixedPool(held, [1.0] * len(held)) if held else None


def _open_set(data: SetRecipe, recipe: DataRecipe) -> tuple[Pool, Pool | None]:
    if data.layout == "synthetic":
        return SyntheticPool(data.folder, data.clips, largest_gap=recipe.largest_gap), None
    folder = Path(data.folder)
    if data.layout == "shards":
        targets, out = split_held_out(
            read_shards(folder), recipe.held_out_sources, recipe.held_out_every_clip, recipe.held_out_every_still
        )
        targets = teach(targets, recipe.box_teacher)
        targets = decode_once(targets) if recipe.decode_once else targets
        weights = weigh(targets, {source.name: source.weight for source in data.sources}, data.default_weight)
        held = ShardPool(out, balance(out), recipe.largest_gap) if out else None
        return ShardPool(targets, weights, recipe.largest_gap, recipe.far_apart), held
    if data.sources:
        raise ConfigError(f"only `shards` have sources, {data.folder} is `{data.layout}`")
    tracks = read_tracks(data.layout, folder)
    every = recipe.held_out_every_track
    out_tracks = tracks[every - 1 :: every] if every else []
    kept = [track for place, track in enumerate(tracks) if not every or place % every != every - 1]
    held_pool = SequencePool(out_tracks, recipe.largest_gap) if out_tracks else None
    return SequencePool(kept, recipe.largest_gap), held_pool


def _start(recipe: TrainRecipe, shape: Architecture, sampler: Sampler, *, goes_on: bool) -> EATrack:
    path = Path(recipe.start) if recipe.start else None
    if recipe.start_kind != "wider" or path is None:
        return start(shape, path, recipe.start_kind)
    if goes_on:  # its own weights take the place at once: a cut of minutes would be made for nothing
        return EATrack(shape)
    wide = build(architecture(recipe.start_model), read_checkpoint(path)).eval()
    crops = sampler.batch(range(FITTED_TO))
    return narrow(wide, shape, normalised(crops.templates), crops.extents, normalised(crops.search))


def _pairs(held_out: Pool | None, recipe: TrainRecipe, shape: Architecture) -> Pairs | None:
    if held_out is None or not recipe.data.pairs:
        return None
    return make_pairs(held_out, recipe.data.pairs, recipe.sampling, shape.template_size, shape.search_size)


def _teacher(recipe: DistillationRecipe, student: Architecture, among: World) -> tuple[EATrack, Distillation]:
    shape = architecture(recipe.teacher)
    network = build(shape, read_checkpoint(Path(recipe.weights))).to(among.device)
    return network, Distillation(student, network.architecture, recipe).to(among.device)


def _calibration(network: EATrack, recipe: TrainRecipe) -> Calibration | None:
    """The confidence's calibration on held-out targets; ``None`` where none are held out or none is asked for."""
    _, held_out = open_data(replace(recipe.data, decode_once=False))
    if held_out is None or not recipe.data.calibration:
        return None
    shape, sampling = network.architecture, calibration_sampling(recipe.sampling)
    samples = Sampler(held_out, sampling, recipe.augment, shape.template_size, shape.search_size, recipe.seed)
    return calibrate(network, samples, recipe.data.calibration)


def model_spec(model: str, sampling: SamplingRecipe) -> ModelSpec:
    """What a network trained with ``sampling`` must be fed."""
    shape = architecture(model)
    blue, green, red = PADDING_BGR
    cropping = Cropping(sampling.template_factor, sampling.search_factor, "subpixel", (red, green, blue))
    return ModelSpec(model, shape.dim, shape.template_size, shape.search_size, shape.template_slots, cropping)
