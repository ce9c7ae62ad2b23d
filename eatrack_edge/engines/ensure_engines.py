"""Checks a model's engines against this machine, and builds those that are missing or do not fit.

After an update of JetPack, or of a graph, the old engines do not load any more. One process builds into a folder at a
time: a second one waits, and then finds the engines of the first.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from eatrack_edge.core.errors import EngineMismatch, InputError, OutputError, UsageError
from eatrack_edge.core.model_spec import PRECISIONS
from eatrack_edge.core.reasons import reason_of
from eatrack_edge.engines.build_pair import EnginePair, Report, build_pair
from eatrack_edge.engines.build_progress import Step
from eatrack_edge.inference.model_files import Graphs, find
from eatrack_edge.inference.tensorrt.fingerprint import read_fingerprint
from eatrack_edge.inference.tensorrt.manifest import check_file, check_fit, engine_home, engine_paths, read_manifest

_LOCK = ".build.lock"


def ensure_engines(
    model: str | Path, precision: str | None, report: Report, *, folder: Path | None = None, builds_missing: bool = True
) -> EnginePair | None:
    """Make sure that a model's engines fit this machine and its graphs.

    Args:
        model: See ``model_files.find``.
        precision: One of ``PRECISIONS``; by default that of the engines that are there, else ``fp16``.
        report: Called as a build proceeds.
        folder: Where the engines are; ``engine_home()`` by default, or beside the graphs where they are there.
        builds_missing: Build engines that are not there at all; otherwise only replace those that do not fit.

    Returns:
        What was built; ``None`` where the engines fit, or are missing and are not to be built.

    Raises:
        UsageError: No such model, or no graphs of it in that precision.
        EATrackError: What ``build_engines`` raises.
    """
    found = _find(model, precision, folder)
    if found is None:
        if not builds_missing:
            return None
        home = folder or engine_home()
        graphs = find(model, precision, folders=(home,))
    else:
        graphs, home = found
    return build_engines(graphs, home, report, command=build_command(model, graphs.model_spec.precision, home))


def build_engines(
    graphs: Graphs,
    folder: Path,
    report: Report,
    *,
    command: str,
    builds: int = 1,
    uses_dla: bool = False,
    force: bool = False,
) -> EnginePair | None:
    """Build a model's engines, unless those in ``folder`` fit; see ``build_pair`` for the arguments.

    Args:
        graphs: What to build.
        folder: Where to.
        report: Called as the builds proceed.
        command: What builds them again, for the manifest.
        builds: Build so many of each and keep the fastest.
        uses_dla: Use the deep learning accelerator.
        force: Build even if the engines fit.

    Returns:
        What was built; ``None`` where the engines fit, perhaps because another process has just built them.

    Raises:
        EATrackError: What ``build_pair`` raises.
    """
    if not force and check_engines(graphs, folder) is None:
        return None
    with _locked(folder, graphs, report):
        if not force and check_engines(graphs, folder) is None:
            return None
        return build_pair(graphs, folder, report, command=command, builds=builds, uses_dla=uses_dla)


def check_engines(graphs: Graphs, folder: Path) -> InputError | EngineMismatch | None:
    """Why the engines in ``folder`` cannot run these graphs on this machine; ``None`` where they can.

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


def build_command(model: str | Path, precision: str, folder: Path) -> str:
    """The command line that builds these engines again."""
    words = ["eatrack-edge", "build", str(model), "--precision", precision]
    return shlex.join(words if folder == engine_home() else [*words, "-o", str(folder)])


@contextmanager
def _locked(folder: Path, graphs: Graphs, report: Report) -> Iterator[None]:
    """Keep other processes from building into ``folder``; wait for one that does, and report the wait."""
    lock = FileLock(folder / _LOCK)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            track = engine_paths(graphs.name, graphs.model_spec.precision, folder)[1]
            report(track.name, Step("waiting for another build", 0, 1))
            lock.acquire()
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written: {reason_of(error)}", hint="name another: -o FOLDER") from error
    try:
        yield
    finally:
        lock.release()


def _find(model: str | Path, precision: str | None, folder: Path | None) -> tuple[Graphs, Path] | None:
    """The graphs whose engines are there, whether or not they fit, and the folder of the engines."""
    for wanted in [precision] if precision else ["fp16", *PRECISIONS]:
        try:
            graphs = find(model, wanted, folders=[folder or engine_home()])
        except UsageError:
            continue
        for home in [folder] if folder else [graphs.track.parent, engine_home()]:
            if engine_paths(graphs.name, graphs.model_spec.precision, home)[1].is_file():
                return graphs, home
    return None
