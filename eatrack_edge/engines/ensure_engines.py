"""Keeps a model's engines fitting this machine: after an update of JetPack, or of the graph, they are rebuilt."""

from __future__ import annotations

import shlex
from pathlib import Path

from eatrack_edge.core.errors import EngineMismatch, InputError, UsageError
from eatrack_edge.core.model_spec import PRECISIONS
from eatrack_edge.engines.build_pair import Made, Report, make
from eatrack_edge.inference.model_files import Graphs, find
from eatrack_edge.inference.tensorrt.fingerprint import read_fingerprint
from eatrack_edge.inference.tensorrt.manifest import check_file, check_fit, engine_home, engine_paths, read_manifest


def ensure(
    model: str | Path, precision: str | None, report: Report, *, folder: Path | None = None, builds_missing: bool = True
) -> Made | None:
    """See to it that a model's engines fit this machine and its graphs.

    Args:
        model: See ``graphs.find``.
        precision: One of ``PRECISIONS``; by default that of the engines that are there, else ``fp16``.
        report: Called as a build proceeds.
        folder: Where the engines lie; ``engine_home()`` by default, or beside the graphs where they are there.
        builds_missing: Build engines that are not there at all; otherwise only mend those that are.

    Returns:
        What was built; ``None`` where the engines are as they should be, or missing and to stay so.

    Raises:
        UsageError: No such model, or no graphs of it in that precision.
        EATrackError: What ``make`` raises.
    """
    found = _find(model, precision, folder)
    if found is None:
        if not builds_missing:
            return None
        home = folder or engine_home()
        graphs = find(model, precision, folders=(home,))
    else:
        graphs, home = found
        if fault(graphs, home) is None:
            return None
    return make(graphs, home, report, command=command(model, graphs.model_spec.precision, home))


def fault(graphs: Graphs, folder: Path) -> InputError | EngineMismatch | None:
    """Why the engines in ``folder`` cannot stand for these graphs on this machine; ``None`` where they can.

    Raises:
        MachineError: There is no driver or no GPU.
        MissingExtra: TensorRT is not installed.
    """
    here = read_fingerprint()
    engines = engine_paths(graphs.name, graphs.model_spec.precision, folder)
    try:
        for engine, graph in zip(engines, (graphs.template, graphs.track), strict=True):
            manifest = read_manifest(engine)
            check_file(engine, manifest)
            check_fit(engine, manifest, here, graph=graph)
    except (InputError, EngineMismatch) as error:
        return error
    return None


def command(model: str | Path, precision: str, folder: Path) -> str:
    """What a user would type to build these engines again."""
    words = ["eatrack-edge", "build", str(model), "--precision", precision]
    return shlex.join(words if folder == engine_home() else [*words, "-o", str(folder)])


def _find(model: str | Path, precision: str | None, folder: Path | None) -> tuple[Graphs, Path] | None:
    """The graphs of engines that are there, whatever their state, and the engines' folder."""
    for wanted in [precision] if precision else ["fp16", *PRECISIONS]:
        try:
            graphs = find(model, wanted, folders=[folder or engine_home()])
        except UsageError:
            continue
        for home in [folder] if folder else [graphs.track.parent, engine_home()]:
            if engine_paths(graphs.name, graphs.model_spec.precision, home)[1].is_file():
                return graphs, home
    return None
