"""``eatrack-edge service``: flies from boot on, as a service of systemd."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from eatrack_edge.cli.fly_config import FlyConfig
    from eatrack_edge.machine.service_unit import ServiceUnit

_CONFIG = Path("/etc/eatrack-edge/fly.toml")
Config = Annotated[Path, typer.Option(help="The options of the flight; see `eatrack-edge fly --print-config`.")]
User = Annotated[str, typer.Option(help="Who flies: eatrack-edge, or the owner of an environment in a home folder.")]

service = typer.Typer(
    help="Fly from boot on: a unit for systemd with watchdog, restart and sandbox.",
    rich_markup_mode=None,
    no_args_is_help=True,
)


@service.command("print")
def print_unit(config: Config = _CONFIG, user: User = "") -> None:
    """Print the unit."""
    print(_unit(config, user).text(), end="")


@service.command()
def install(
    config: Config = _CONFIG,
    user: User = "",
    root: Annotated[Path, typer.Option(help="Folder of another system, such as an image being built.")] = Path("/"),
) -> None:
    """Write the unit, and make its user. It is not started: the last lines say how."""
    from eatrack_edge.core.errors import UsageError
    from eatrack_edge.core.io import write_whole
    from eatrack_edge.machine.service_unit import NAME

    placed = root / config.relative_to("/") if config.is_absolute() else config
    if not placed.is_file():
        hint = f"eatrack-edge fly SOURCE --record recordings --print-config | sudo tee {placed}"
        raise UsageError(f"{placed}: no such file", hint=hint)
    unit = _unit(placed, user, config)
    if not os.access(root, os.W_OK):
        raise UsageError(
            f"{root}: not yours to write to", hint=f"sudo {sys.executable} -m eatrack_edge service install"
        )
    files = {root / f"etc/systemd/system/{NAME}.service": unit.text()}
    if unit.user == NAME:
        files[root / f"etc/sysusers.d/{NAME}.conf"] = unit.user_file()
    for path, text in files.items():
        write_whole(path, text)
        path.chmod(0o644)
        print(f"{'wrote':<25} {path}")
    if root == Path("/"):
        for command in (["systemd-sysusers", f"{NAME}.conf"], ["systemctl", "daemon-reload"]):
            _run_where_it_is(command)
    print(f"{'start it':<25} sudo systemctl enable --now {NAME}")
    print(f"{'see its log':<25} journalctl -fu {NAME}")


def _unit(placed: Path, user: str, config: Path | None = None) -> ServiceUnit:
    from eatrack_edge.cli.console import print_note
    from eatrack_edge.cli.fly_config import FlyConfig
    from eatrack_edge.core import config as files
    from eatrack_edge.core.errors import UsageError
    from eatrack_edge.machine.service_unit import ServiceUnit, default_user, groups_here

    options = files.load(FlyConfig, placed) if placed.is_file() else FlyConfig()
    if placed.is_file() and not options.source:
        raise UsageError(f"{placed}: it names no source", hint='for example: source = "/dev/video0"')
    if not options.overwrite and any((options.jsonl, options.mcap, *options.output)):
        print_note("a file that exists is not replaced: a second start would fail. `record` begins a new run each time")
    return ServiceUnit(
        (config or placed).absolute(), user or default_user(Path(sys.prefix)), groups_here(), _writable(options)
    )


def _writable(options: FlyConfig) -> list[Path]:
    """The folders outside the service's own that the flight writes to."""
    files = [Path(name).parent for name in (options.jsonl, options.mcap, *options.output) if name]
    folders = [*([Path(options.record)] if options.record else []), *files]
    return sorted({folder for folder in folders if folder.is_absolute() and folder != Path("/dev")})


def _run_where_it_is(command: list[str]) -> None:
    """Run a program of systemd where there is one that runs, such as not in a container."""
    if shutil.which(command[0]) and Path("/run/systemd/system").is_dir():
        subprocess.run(command, check=False)
