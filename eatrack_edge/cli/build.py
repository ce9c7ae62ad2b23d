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
    from eatrack_edge.engines.build_pair import Made
    from eatrack_edge.engines.build_progress import Step
    from eatrack_edge.inference.model_files import Graphs


def build(
    what: Annotated[
        str, typer.Argument(metavar="[MODEL|GRAPHS]", help="A bundled model, or an exported file or folder.")
    ] = DEFAULT_MODEL,
    device: Annotated[
        str, typer.Option(help="orin-nano, orin-nx or agx-orin: refuse to build on another; auto takes this machine.")
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
    from eatrack_edge.engines import build_pair as make
    from eatrack_edge.engines import ensure_engines as upkeep
    from eatrack_edge.engines.device_check import check_claim
    from eatrack_edge.inference.tensorrt.fingerprint import read_fingerprint
    from eatrack_edge.inference.tensorrt.manifest import engine_home
    from eatrack_edge.machine.board import read_board

    check_claim(device, read_board())
    require("tensorrt", to="build an engine")
    read_fingerprint()  # before all else, so that a machine without a GPU is told so in one line
    folder = output or engine_home()
    found = _graphs(what, precision, folder, calib)
    if not force and upkeep.fault(found, folder) is None:
        print(f"{folder}: the {found.model_spec.precision} engines of {found.name} fit; --force builds them again")
        return
    command = upkeep.command(what, found.model_spec.precision, folder)
    with BuildProgress() as progress:
        made = make.make(found, folder, progress.show_step, command=command, builds=builds, uses_dla=dla)
    print_made(made)


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
    """Before tracking: mend a model's engines where there are some; build them where TensorRT was asked for by name.

    Raises:
        EATrackError: TensorRT was asked for by name and the engines cannot be had.
    """
    from eatrack_edge.core.errors import EATrackError
    from eatrack_edge.engines.ensure_engines import ensure
    from eatrack_edge.inference.tensorrt.engine_files import is_engine

    is_asked = backend == "tensorrt"
    if (backend != "auto" and not is_asked) or is_engine(model):
        return
    if not is_asked and find_spec("tensorrt") is None:
        return
    try:
        with BuildProgress() as progress:
            made = ensure(model, None, progress.show_step, builds_missing=is_asked)
    except EATrackError:
        if is_asked:
            raise
        return  # the backend that is taken instead says why TensorRT is not
    if made is not None:
        print_made(made)


def print_made(made: Made) -> None:
    """What was built, and what is known of it."""
    here = made.fingerprint
    machine = ", ".join(filter(None, [here.gpu, here.board, here.jetpack and f"JetPack {here.jetpack}"]))
    print(f"built for {here} ({machine}) in {made.seconds:.0f} s")
    for engine, audit in zip((made.template, made.track), made.audits, strict=True):
        print(f"  {engine}  {engine.stat().st_size / 1e6:.2f} MB, {audit}")
    if made.latencies:
        times = [latency.track for latency in made.latencies]
        print(f"  the fastest of {len(times)}: {min(times):.2f} ms a frame, the slowest {max(times):.2f} ms")
    for name, difference in made.differences.items():
        print(f"  {name:<16} max difference to ONNX Runtime {difference:.1e}")
    if made.note:
        print(f"  not compared with ONNX Runtime: {made.note}")


class BuildProgress(Progress):
    """Progress of a build, one task for each engine."""

    def __init__(self) -> None:
        super().__init__("steps", has_rate=False)

    def show_step(self, engine: str, step: Step) -> None:
        """Show one step of a build."""
        self.show(f"building {engine}", step.done, step.total, step.phase)
