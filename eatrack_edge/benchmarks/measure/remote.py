"""``--remote user@host``: the same bench on a board, over plain ``ssh`` and ``scp``.

The package's wheel and the files that the command names go into a temporary folder there, with a virtual environment
that sees the board's own packages, TensorRT among them. The result comes back; the folder, the engines built in it
and every process go when the bench ends, fails or the connection drops.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import distribution
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile

import eatrack_edge
from eatrack_edge.core.errors import EATrackError, InputError, MachineError

_OPTIONS = ("-o", "BatchMode=yes", "-o", "ConnectTimeout=15", "-o", "ServerAliveInterval=15")
_OURS = ("--remote", "--output", "-o", "--json")  # options whose meaning is here, each with a value
_SSH_FAILED, _NO_PYTHON, _NO_VENV, _NO_INSTALL = 255, 90, 91, 92
_KEPT_LINES = 20  # of what the board said, to find its error in

# Standard input stays open while we live: its end means that we are gone, and everything there must go too.
_SCRIPT = """
exec 3<&0
folder=$1; shift
finish() {
  trap - EXIT HUP INT TERM
  [ -n "$watch" ] && kill "$watch" 2>/dev/null
  [ -n "$job" ] && kill -- "-$job" 2>/dev/null && sleep 1 && kill -9 -- "-$job" 2>/dev/null
  rm -rf "$folder"
}
trap finish EXIT; trap 'exit 129' HUP INT TERM
cd "$folder" || exit 1
command -v PYTHON >/dev/null || exit 90
run() {
  setsid "$@" 1>&2 3<&- & job=$!
  wait "$job"; code=$?; job=
  return "$code"
}
( while read -r _; do :; done; kill -TERM $$ ) <&3 >/dev/null 2>&1 & watch=$!
run PYTHON -m venv --system-site-packages venv || exit 91
# A Jetson brings TensorRT; whatever lacks it needs a backend for its CPU.
venv/bin/python -c 'import tensorrt' 2>/dev/null && extra= || extra='[cpu]'
run venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input "$(echo ./*.whl)$extra" || exit 92
# What packages leave in the place for temporary files goes too.
export TMPDIR="$folder" EATRACK_HOME="$folder/home"
run venv/bin/eatrack-edge bench "$@" --json "$folder/result.json" || exit "$code"
cat result.json
"""


@dataclass(frozen=True, slots=True)
class Remote:
    """A board to run on.

    Attributes:
        host: ``user@host``, or a name from the ssh configuration.
        options: Further options that ``ssh`` and ``scp`` both know, such as ``-i KEY`` or ``-o Port=2222``.
        python: The interpreter there.
    """

    host: str
    options: tuple[str, ...] = ()
    python: str = "python3"
    say: Callable[[str], None] = field(default=lambda _: None)  # told every line that the board prints


def run_remote(remote: Remote, arguments: Sequence[str], wheel: Path | None = None) -> bytes:
    """Run the bench on a board and return its JSON.

    Args:
        remote: The board.
        arguments: Of ``eatrack-edge bench``, as typed here; files among them are copied, our own options left out.
        wheel: What to install there; by default the wheel of this very package.

    Raises:
        InputError: ``host`` is an option rather than a host.
        MachineError: The board cannot be reached, has no Python or no room, or nothing can be installed there.
        EATrackError: The bench failed there; its own error is in the message.
    """
    if not remote.host or remote.host.startswith("-"):
        raise InputError(f"--remote needs a host, got `{remote.host}`", hint="for example: --remote user@orin.local")
    kept, files = _travelling(arguments)
    with TemporaryDirectory() as scratch:
        cargo = [wheel or pack_wheel(Path(scratch)), *files]
        folder = _ssh(remote, "mktemp -d").stdout.decode().strip()
        try:
            copied = _call(
                ["scp", "-q", "-r", *_OPTIONS, *remote.options, *map(str, cargo), f"{remote.host}:{folder}/"]
            )
            _check(remote, copied.returncode, copied.stderr.decode(errors="replace").splitlines())
            return _bench(remote, folder, kept)
        finally:
            _call(["ssh", *_OPTIONS, *remote.options, remote.host, f"rm -rf {shlex.quote(folder)}"])


def pack_wheel(folder: Path) -> Path:
    """The wheel of this very package: built from the checkout, or packed again from what a wheel installed.

    Raises:
        MachineError: It cannot be built.
    """
    root = Path(eatrack_edge.__file__).parents[1]
    if (root / "hatch_build.py").is_file():
        command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(folder), str(root)]
        built = _call(command)
        if built.returncode:
            said = _last(built.stderr.decode(errors="replace").splitlines())
            raise MachineError(f"cannot build the wheel to send: {said}", hint=f"try: {shlex.join(command)}")
        return next(folder.glob("*.whl"))
    installed = distribution("eatrack-edge")
    path = folder / f"eatrack_edge-{installed.version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in installed.files or ():
            if ".." not in file.parts and file.suffix != ".pyc":  # not the script beside the interpreter
                archive.write(str(file.locate()), str(file))
    return path


def _travelling(arguments: Sequence[str]) -> tuple[list[str], list[Path]]:
    """Arguments for the board, with files by their bare names, and the files and folders that must go with them."""
    kept: list[str] = []
    files: list[Path] = []
    skip = False
    for before, argument in zip(["", *arguments], arguments, strict=False):
        name, _, value = argument.partition("=")
        if skip or name in _OURS:
            skip = not skip and not value
            continue
        option = f"{name}=" if value and name.startswith("--") else ""
        path = Path(value if option else argument)
        if path.is_dir() and "--model" in (name, before):
            path = path.resolve()  # `.` has no name
            kept.append(f"{option}{path.name}")
            files.append(path)
            continue
        if not path.is_file():
            kept.append(argument)
            continue
        kept.append(f"{option}{path.name}")
        # A graph comes with its template graph and its weights, a video with its true boxes.
        stem = path.name.partition(".")[0]
        files += [one for one in sorted(path.parent.glob(f"{stem}.*")) if one.is_file() and one not in files]
    return kept, files


def _bench(remote: Remote, folder: str, arguments: Sequence[str]) -> bytes:
    script = _SCRIPT.replace("PYTHON", shlex.quote(remote.python))
    command = shlex.join(["sh", "-c", script, "sh", folder, *arguments])
    said: list[str] = []
    # The result goes to a file: in a pipe that nobody reads until the end, a long one would get stuck.
    with TemporaryFile() as result:
        process = subprocess.Popen(
            ["ssh", *_OPTIONS, *remote.options, remote.host, command],
            stdin=subprocess.PIPE,
            stdout=result,
            stderr=subprocess.PIPE,
        )
        with process:
            for line in process.stderr or ():
                said.append(line.decode(errors="replace").rstrip())
                remote.say(said[-1])
        _check(remote, process.returncode, said)
        result.seek(0)
        return result.read()


def _ssh(remote: Remote, command: str) -> subprocess.CompletedProcess[bytes]:
    done = _call(["ssh", *_OPTIONS, *remote.options, remote.host, command])
    _check(remote, done.returncode, done.stderr.decode(errors="replace").splitlines())
    return done


def _call(command: Sequence[str]) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    except FileNotFoundError:
        raise MachineError(f"`{command[0]}` is not installed", hint="sudo apt install openssh-client") from None


def _check(remote: Remote, code: int, said: Sequence[str]) -> None:
    """Turn what went wrong there into one line.

    Raises:
        MachineError: The board lacks something.
        EATrackError: The bench failed.
    """
    if code == 0:
        return
    host, lines = remote.host, said[-_KEPT_LINES:]
    if any("No space left on device" in line for line in lines):
        raise MachineError(f"{host}: no space left on its disk", hint=f"make room there: ssh {host} df -h /tmp")
    if code == _SSH_FAILED:
        raise MachineError(
            f"{host}: cannot be reached: {_last(lines)}", hint=f"it must answer without a password: ssh {host} true"
        )
    if code == _NO_PYTHON:
        raise MachineError(f"{host}: has no {remote.python}", hint=f"ssh {host} sudo apt install python3-venv")
    if code == _NO_VENV:
        raise MachineError(
            f"{host}: cannot make a virtual environment: {_last(lines)}",
            hint=f"ssh {host} sudo apt install python3-venv",
        )
    if code == _NO_INSTALL:
        raise MachineError(
            f"{host}: cannot install the wheel: {_last(lines)}",
            hint="it needs the package index for what is missing there",
        )
    errors = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    raise EATrackError(
        f"{host}: bench failed there: {errors[-1] if errors else _last(lines)}",
        hint=next((line.removeprefix("hint: ") for line in reversed(lines) if line.startswith("hint: ")), ""),
    )


def _last(lines: Sequence[str]) -> str:
    return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")
