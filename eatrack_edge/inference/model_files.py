"""Finds the pair of graphs that an engine is to be built from."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from eatrack_edge.core.errors import InputError, UsageError, did_you_mean
from eatrack_edge.core.model_spec import PRECISIONS, ModelSpec, split_stem, stem_of
from eatrack_edge.core.resources import bundled
from eatrack_edge.inference.graph_tensors import check_same_export
from eatrack_edge.inference.onnx_metadata import read_model_spec
from eatrack_edge.inference.registry import find_graphs

DEFAULT_PRECISION = "fp16"
_TRACK = ".track.onnx"


class MissingGraphs(UsageError):
    """A model is there, but not in the precision asked for."""

    def __init__(self, message: str, *, hint: str, precision: str) -> None:
        super().__init__(message, hint=hint)
        self.precision = precision


class Graphs(NamedTuple):
    """A template and a track graph of one export."""

    name: str  # without precision, e.g. eatrack_s
    model_spec: ModelSpec
    template: Path
    track: Path


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
            return _pair(name, wanted, folder / f"{stem}.template.onnx", folder / f"{stem}{_TRACK}")
    source = name if bundled(track.name) == track else "CHECKPOINT"
    calibration = " --calib VIDEO" if wanted.startswith("int8") else ""
    raise MissingGraphs(
        f"there are no {wanted} graphs of `{name}`: {track.parent / stem}{_TRACK} does not exist",
        hint=f"make them where PyTorch is, on a laptop for example: eatrack-edge export {source} --precision {wanted}"
        f"{calibration} -o FOLDER; then bring FOLDER here: eatrack-edge build FOLDER --precision {wanted}",
        precision=wanted,
    )


def _only_one(folder: Path) -> Path:
    """A track graph in ``folder``, where all precisions of one model may lie."""
    found = sorted(folder.glob(f"*{_TRACK}"))
    names = {split_stem(track.name.removesuffix(_TRACK))[0] for track in found}
    if len(names) != 1:
        raise InputError(f"{folder}: holds {len(names)} exported models, needs exactly one", hint="name the file")
    return found[0]


def _pair(name: str, precision: str, template: Path, track: Path) -> Graphs:
    model_spec = read_model_spec(track)
    check_same_export(read_model_spec(template), model_spec, template, track)
    if model_spec.precision != precision:
        raise InputError(
            f"{track}: is called {precision}, its model specification says {model_spec.precision}",
            hint=f"export it again: eatrack-edge export --precision {precision}",
        )
    return Graphs(name, model_spec, template, track)
