"""Finds the two graphs of a model, by its name, its folder or one of its files, in any precision."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from eatrack_edge.core.errors import InputError, UsageError, did_you_mean
from eatrack_edge.core.model_spec import PRECISIONS, ModelSpec, split_stem, stem_of
from eatrack_edge.core.resources import bundled, bundled_models
from eatrack_edge.inference.graph_tensors import check_same_export
from eatrack_edge.inference.onnx_metadata import read_model_spec
from eatrack_edge.inference.tensorrt.engine_files import is_engine

DEFAULT_PRECISION = "fp16"
_TEMPLATE, _TRACK = ".template.onnx", ".track.onnx"
_CHECKPOINTS = (".safetensors", ".pth", ".pt", ".pth.tar", ".ckpt", ".bin")


class MissingGraphs(UsageError):
    """The model exists, but not in the wanted precision."""

    def __init__(self, message: str, *, hint: str, precision: str) -> None:
        super().__init__(message, hint=hint)
        self.precision = precision


class Graphs(NamedTuple):
    """A template and a track graph of one export."""

    name: str  # without precision, e.g. eatrack_s
    model_spec: ModelSpec
    template: Path
    track: Path


def find_graphs(model: str | Path) -> tuple[Path, Path]:
    """The template and the track graph of a model.

    Args:
        model: A bundled model's name, a folder that holds one export, or either of its two files.

    Raises:
        UsageError: No bundled model has that name, or it is an engine or a checkpoint.
        InputError: The folder or file is not an export.
    """
    path = Path(model)
    if is_engine(path):
        raise UsageError(f"{path}: only the backend `tensorrt` runs engines", hint="give the graphs it was built from")
    if path.is_dir():
        found = sorted(path.glob(f"[!.]*{_TRACK}"))
        if len(found) != 1:
            raise _not_one(path, found)
        return _pair(found[0])
    if path.suffix == ".onnx":
        return _pair(path)
    if path.is_file() and path.name.endswith(_CHECKPOINTS):
        raise UsageError(f"{path}: is a checkpoint, tracking runs the graphs exported from it", hint=_export(path))
    track = bundled(f"{model}{_TRACK}")
    if track is None:
        hint = did_you_mean(str(model), bundled_models(), "bundled models: {}; or give an exported file")
        raise UsageError(f"no model called `{model}`", hint=hint)
    return _pair(track)


def find(model: str | Path, precision: str | None = None, *, folders: Iterable[Path] = ()) -> Graphs:
    """The graphs of a model in one precision.

    Args:
        model: A bundled model's name, a folder that holds one export, or one of its files, of any precision.
        precision: One of ``PRECISIONS``; that of the file where one is named, else ``fp16``.
        folders: Where else they may lie than beside the model.

    Raises:
        UsageError: No such model or precision.
        MissingGraphs: No graphs of that precision.
        InputError: The folder or files are not one export.
    """
    if precision not in (None, *PRECISIONS):
        raise UsageError(f"no precision called `{precision}`", hint=did_you_mean(str(precision), PRECISIONS))
    track = _only_one(Path(model)) if Path(model).is_dir() else find_graphs(model)[1]
    name, own = split_stem(track.name.removesuffix(_TRACK))
    is_file = Path(model).suffix == ".onnx"
    wanted = precision or (own if is_file else DEFAULT_PRECISION)
    stem = stem_of(name, wanted)
    for folder in (track.parent, *folders):
        if (folder / f"{stem}{_TRACK}").is_file():
            return _checked_pair(name, wanted, folder / f"{stem}.template.onnx", folder / f"{stem}{_TRACK}")
    others = [
        each
        for each in PRECISIONS
        if any((folder / f"{stem_of(name, each)}{_TRACK}").is_file() for folder in (track.parent, *folders))
    ]
    there = f"take what is there: --precision {' or '.join(others)}; or " if others else ""
    source = name if bundled(track.name) == track else "CHECKPOINT"
    calibration = " --calib VIDEO" if wanted.startswith("int8") else ""
    raise MissingGraphs(
        f"there are no {wanted} graphs of `{name}`: {track.parent / stem}{_TRACK} does not exist",
        hint=f"{there}make them where PyTorch is, on a laptop for example: eatrack-edge export {source} "
        f"--precision {wanted}{calibration} -o FOLDER; "
        f"then bring FOLDER here: eatrack-edge build FOLDER --precision {wanted}",
        precision=wanted,
    )


def _only_one(folder: Path) -> Path:
    """A track graph in ``folder``, where all precisions of one model may lie."""
    found = sorted(folder.glob(f"[!.]*{_TRACK}"))
    names = {split_stem(track.name.removesuffix(_TRACK))[0] for track in found}
    if len(names) != 1:
        raise _not_one(folder, found, len(names))
    return found[0]


def _not_one(folder: Path, tracks: list[Path], models: int | None = None) -> InputError:
    """The error for a folder with no exported model, or with several."""
    count = len(tracks) if models is None else models
    checkpoints = sorted(path for path in folder.iterdir() if path.name.endswith(_CHECKPOINTS))
    hint = f"name one of them: {', '.join(map(str, tracks))}"
    if not tracks:
        hint = _export(checkpoints[0]) if checkpoints else "make one: eatrack-edge export CHECKPOINT -o FOLDER"
    return InputError(f"{folder}: holds {count} exported models, needs exactly one", hint=hint)


def _export(checkpoint: Path) -> str:
    return f"export it first: eatrack-edge export {shlex.quote(str(checkpoint))} -o graphs; then: --model graphs"


def _checked_pair(name: str, precision: str, template: Path, track: Path) -> Graphs:
    model_spec = read_model_spec(track)
    check_same_export(read_model_spec(template), model_spec, template, track)
    if model_spec.precision != precision:
        raise InputError(
            f"{track}: is called {precision}, its model specification says {model_spec.precision}",
            hint=f"export it again: eatrack-edge export --precision {precision}",
        )
    return Graphs(name, model_spec, template, track)


def _pair(graph: Path) -> tuple[Path, Path]:
    for suffix in (_TEMPLATE, _TRACK):
        if graph.name.endswith(suffix):
            stem = graph.name.removesuffix(suffix)
            return graph.with_name(stem + _TEMPLATE), graph.with_name(stem + _TRACK)
    raise InputError(
        f"{graph}: an exported model is two files, NAME{_TEMPLATE} and NAME{_TRACK}",
        hint="make them: eatrack-edge export CHECKPOINT",
    )
