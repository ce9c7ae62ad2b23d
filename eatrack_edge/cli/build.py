"""``eatrack-edge build``: graphs become engines for the machine that this runs on."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eatrack_edge.cli.console import Progress
from eatrack_edge.cli.export import export
from eatrack_edge.core.resources import DEFAULT_MODEL, bundled_models

if TYPE_CHECKING:
    from eatrack_edge.engines.build_pair import EnginePair
    from eatrack_edge.engines.build_progress import Step
    from eatrack_edge.inference.model_files import Graphs


def build(
    what: Annotated[
        str, typer.Argument(metavar="[MODEL|GRAPHS]", help="A bundled model, or an exported file or folder.")
    ] = DEFAULT_MODEL,
    device: Annotated[
        str,
        typer.Option(help="orin, orin-nano, orin-nx, agx-orin: refuse to build on another; auto: this machine."),
    ] = "auto",
    precision: Annotated[
        str | None, typer.Option(help="fp32, fp16, int8 or int8-fp16; that of a named file, else fp16.")
    ] = None,
    calib: Annotated[
        str,
        typer.Option(metavar="VIDEO|DIR|KIND:PATH", help="INT8 that was not exported yet: videos to calibrate on."),
    ] = "",
    builds: Annotated[int, typer.Option(min=1, help="Build so many and keep the fastest.")] = 1,
    dla: Annotated[bool, typer.Option("--dla", help="Use the deep learning accelerator, where there is one.")] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder for the engines; the cache by default.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Build even if engines that fit are there.")] = False,
) -> None:
    """Build TensorRT engines from a model's graphs, on the machine that will run them.

    NAME.template.engine and NAME.track.engine are written with a manifest each, and only after they agreed with ONNX
    Runtime, where that is installed. Graphs of a bundled model that do not exist in that precision are exported first,
    where PyTorch is installed; INT8 needs --calib.
    """
    from eatrack_edge.core.imports import require
    from eatrack_edge.engines.ensure_engines import build_command, build_engines
    from eatrack_edge.inference.tensorrt.driver import require_gpu
    from eatrack_edge.inference.tensorrt.fingerprint import read_fingerprint
    from eatrack_edge.inference.tensorrt.manifest import engine_home
    from eatrack_edge.machine.board import read_board
    from eatrack_edge.machine.device_check import require_device

    require_device(device, read_board())
    require_gpu()  # before TensorRT: nobody should install gigabytes that cannot work
    require("tensorrt", to="build an engine")
    read_fingerprint()
    folder = output or engine_home()
    found = _graphs(what, precision, folder, calib)
    command = build_command(what, found.model_spec.precision, folder)
    with BuildProgress() as progress:
        built = build_engines(
            found, folder, progress.show_step, command=command, builds=builds, uses_dla=dla, force=force
        )
    if built is None:
        print(f"{folder}: the {found.model_spec.precision} engines of {found.name} fit; --force builds them again")
    else:
        print_built(built)


def _graphs(what: str, precision: str | None, folder: Path, calib: str) -> Graphs:
    """The graphs to build from, exported beside the engines where there are none and all that takes is at hand."""
    from eatrack_edge.inference.model_files import MissingGraphs, find

    try:
        return find(what, precision, folders=[folder])
    except MissingGraphs as missing:
        # A board often has no torch; there the command to type elsewhere helps more than what to install.
        is_possible = what in bundled_models() and find_spec("torch")
        if not is_possible or (missing.precision.startswith("int8") and not calib):
            raise
        print(f"there are no {missing.precision} graphs of {what}: exporting them into {folder}")
        export(what, folder, precision=missing.precision, calib=calib)
        return find(what, missing.precision, folders=[folder])


def refresh(model: str, backend: str) -> None:
    """Before tracking: rebuild engines that do not fit; build missing ones only with ``--backend tensorrt``.

    Raises:
        EATrackError: With ``--backend tensorrt``, the engines cannot be built.
    """
    from eatrack_edge.core.errors import EATrackError
    from eatrack_edge.engines.ensure_engines import ensure_engines
    from eatrack_edge.inference.tensorrt.engine_files import is_engine

    is_asked = backend == "tensorrt"
    if (backend != "auto" and not is_asked) or is_engine(model):
        return
    if not is_asked and find_spec("tensorrt") is None:
        return
    try:
        with BuildProgress() as progress:
            built = ensure_engines(model, None, progress.show_step, builds_missing=is_asked)
    except EATrackError:
        if is_asked:
            raise
        return  # the backend that runs instead says why TensorRT does not
    if built is not None:
        print_built(built)


def print_built(built: EnginePair) -> None:
    """Print what was built and how it was checked."""
    here = built.fingerprint
    machine = ", ".join(filter(None, [here.gpu, here.board, here.jetpack and f"JetPack {here.jetpack}"]))
    print(f"built for {here} ({machine}) in {built.seconds:.0f} s")
    for engine, audit in zip((built.template, built.track), built.audits, strict=True):
        print(f"  {engine}  {engine.stat().st_size / 1e6:.2f} MB, {audit}")
    if built.latencies:
        times = [latency.track for latency in built.latencies]
        print(f"  the fastest of {len(times)}: {min(times):.2f} ms a frame, the slowest {max(times):.2f} ms")
    for name, difference in built.differences.items():
        print(f"  {name:<16} max difference to ONNX Runtime {difference:.1e}")
    if built.note:
        print(f"  not compared with ONNX Runtime: {built.note}")


class BuildProgress(Progress):
    """Progress of a build, one task for each engine."""

    def __init__(self) -> None:
        super().__init__("steps", has_rate=False)

    def show_step(self, engine: str, step: Step) -> None:
        """Show one step of a build."""
        self.show(f"building {engine}", step.done, step.total, step.phase)
