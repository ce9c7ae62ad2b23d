"""The command line. One file per command; heavy imports stay inside the commands, so ``--help`` is quick."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from eatrack_edge import __version__
from eatrack_edge.cli.bench import bench
from eatrack_edge.cli.build import build
from eatrack_edge.cli.console import print_error
from eatrack_edge.cli.doctor import doctor
from eatrack_edge.cli.evaluate import evaluate
from eatrack_edge.cli.export import export
from eatrack_edge.cli.fit_verifier import fit_verifier
from eatrack_edge.cli.fly import FlyCommand, fly
from eatrack_edge.cli.frame import frame
from eatrack_edge.cli.service import service
from eatrack_edge.cli.track import track
from eatrack_edge.cli.train import train
from eatrack_edge.core.errors import EATrackError

app = typer.Typer(
    name="eatrack-edge",
    help="Deep single-object tracking for drones: from a checkpoint to a box on the video.",
    no_args_is_help=True,
    rich_markup_mode=None,  # plain help: drawing it with rich would take longer than all the rest
    pretty_exceptions_enable=False,
)
app.command(context_settings={"allow_extra_args": True})(track)  # which says what several sources mean
app.command(cls=FlyCommand)(fly)
app.command()(frame)
app.command()(export)
app.command()(build)
app.command("eval")(evaluate)
app.command()(train)
app.command()(fit_verifier)
app.command()(doctor)
app.add_typer(bench, name="bench")
app.add_typer(service, name="service")


def _print_version(asked: bool) -> None:
    if asked:
        print(f"eatrack-edge {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print it.")
    ] = False,
) -> None:
    del version  # its callback has answered


def forget_handled_interrupts() -> None:
    """Let the exit code stand after a Ctrl-C that a command has answered.

    Python notes a ``KeyboardInterrupt`` that leaves a text run by ``exec`` (dataclasses make their methods so), and
    in the end kills itself by SIGINT, whoever handled it on the way. The next such text begins that note anew.
    """
    exec("")


def main() -> None:
    """Run the command line; an expected failure becomes two lines on stderr and the exit code of its kind."""
    try:
        app()
    except EATrackError as error:
        print_error(error)
        sys.exit(error.exit_code)
    finally:
        forget_handled_interrupts()
