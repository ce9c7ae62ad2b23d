"""A real sshd on loopback; only the package that it installs is simulated, a few lines that write a JSON."""

from __future__ import annotations

import getpass
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from eatrack_edge.benchmarks.measure.remote import Remote, _check, _travelling, run_remote
from eatrack_edge.core.errors import EATrackError, InputError, MachineError

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
needs_sshd = pytest.mark.skipif(SSHD is None or not shutil.which("ssh-keygen"), reason="no OpenSSH server here")

SIMULATED = """
import json, os, sys, time
from pathlib import Path

def main():
    arguments = sys.argv[1:]
    print("measuring", flush=True)
    if "--sleep" in arguments:
        Path(os.environ["EATRACK_HOME"]).mkdir()
        time.sleep(120)
    if "--fail" in arguments:
        sys.exit("error: no model called `x`\\nhint: known: eatrack_s")
    if "--full" in arguments:
        sys.exit("OSError: [Errno 28] No space left on device")
    said = {"arguments": arguments[:-2], "folder": os.getcwd(), "files": sorted(os.listdir())}
    Path(arguments[-1]).write_text(json.dumps(said))
"""


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """A wheel that stands in for ours."""
    path = tmp_path / "eatrack_edge-9.0-py3-none-any.whl"
    info = "eatrack_edge-9.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("simulated_edge.py", SIMULATED)
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: eatrack-edge\nVersion: 9.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/entry_points.txt", "[console_scripts]\neatrack-edge = simulated_edge:main\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Remote]:
    """An sshd of our own on a free port, with keys made for it."""
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / name)], check=True)
    shutil.copy(tmp_path / "user.pub", tmp_path / "authorized")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    spare = tmp_path / "there"
    spare.mkdir()
    settings = {
        "Port": port,
        "ListenAddress": "127.0.0.1",
        "HostKey": tmp_path / "host",
        "AuthorizedKeysFile": tmp_path / "authorized",
        "PidFile": "none",
        "UsePAM": "no",
        "StrictModes": "no",
        "PasswordAuthentication": "no",
        "SetEnv": f"TMPDIR={spare}",
        "Subsystem": "sftp internal-sftp",
    }
    (tmp_path / "sshd.conf").write_text("".join(f"{key} {value}\n" for key, value in settings.items()))
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # where a privileged sshd wants to confine itself
    server = subprocess.Popen([str(SSHD), "-D", "-e", "-f", str(tmp_path / "sshd.conf")], stderr=subprocess.DEVNULL)
    _await(lambda: _answers(port))
    options = f"-i {tmp_path / 'user'} -o Port={port} -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null"
    yield Remote(f"{getpass.getuser()}@127.0.0.1", (*options.split(), "-o", "LogLevel=ERROR"), sys.executable)
    server.terminate()
    server.wait(10)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _await(is_so: object, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not is_so():  # type: ignore[operator]
        assert time.monotonic() < end, "it never came about"
        time.sleep(0.05)


@needs_sshd
@pytest.mark.slow  # makes a virtual environment
def test_the_bench_runs_there_and_nothing_stays(board: Remote, wheel: Path, tmp_path: Path) -> None:
    (tmp_path / "own.track.onnx").write_text("track")
    (tmp_path / "own.template.onnx").write_text("template")
    model = str(tmp_path / "own.track.onnx")
    said: list[str] = []
    remote = Remote(board.host, board.options, board.python, said.append)
    result = json.loads(run_remote(remote, ["--model", model, "--remote", "x", "--json", "here.json"], wheel))
    assert result["arguments"] == ["bench", "--model", "own.track.onnx"]
    assert {"own.track.onnx", "own.template.onnx", "venv"} <= set(result["files"])
    assert Path(result["folder"]).parent == tmp_path / "there"
    assert "measuring" in said
    assert list((tmp_path / "there").iterdir()) == []


@needs_sshd
@pytest.mark.slow  # makes a virtual environment
@pytest.mark.parametrize(
    ("argument", "message"),
    [
        pytest.param("--fail", "bench failed there: no model called `x`\nhint: known: eatrack_s", id="bench failed"),
        pytest.param("--full", "no space left on its disk", id="disk full"),
    ],
)
def test_what_fails_there_is_told_here_and_nothing_stays(
    board: Remote, wheel: Path, tmp_path: Path, argument: str, message: str
) -> None:
    with pytest.raises(EATrackError) as caught:
        run_remote(board, [argument], wheel)
    assert message in str(caught.value)
    assert list((tmp_path / "there").iterdir()) == []


@needs_sshd
def test_a_board_without_python_is_named(board: Remote, wheel: Path, tmp_path: Path) -> None:
    with pytest.raises(MachineError, match="has no python9") as caught:
        run_remote(Remote(board.host, board.options, "python9"), [], wheel)
    assert "sudo apt install python3-venv" in caught.value.hint
    assert list((tmp_path / "there").iterdir()) == []


@needs_sshd
@pytest.mark.slow  # makes a virtual environment
def test_a_dropped_connection_leaves_nothing_running(board: Remote, wheel: Path, tmp_path: Path) -> None:
    remote = f"Remote({board.host!r}, {board.options!r}, {board.python!r})"
    code = f"run_remote({remote}, ['--sleep'], Path({str(wheel)!r}))"
    code = f"from pathlib import Path; from eatrack_edge.benchmarks.measure.remote import Remote, run_remote; {code}"
    child = subprocess.Popen([sys.executable, "-c", code], start_new_session=True, stderr=subprocess.DEVNULL)
    _await(lambda: list((tmp_path / "there").glob("*/home")), 60)
    os.killpg(child.pid, signal.SIGKILL)  # this end, its ssh included, dies without a word
    child.wait(10)
    _await(lambda: not list((tmp_path / "there").iterdir()))
    assert not [one for one in Path("/proc").glob("[0-9]*/cmdline") if str(tmp_path / "there").encode() in _line(one)]


def _line(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


@pytest.mark.skipif(not shutil.which("ssh"), reason="no ssh here")
def test_a_host_that_does_not_answer_is_named(wheel: Path) -> None:
    with pytest.raises(MachineError, match=r"me@127\.0\.0\.1: cannot be reached") as caught:
        run_remote(Remote("me@127.0.0.1", ("-o", "Port=1")), [], wheel)
    assert caught.value.hint == "it must answer without a password: ssh me@127.0.0.1 true"


@pytest.mark.parametrize(
    ("code", "message"),
    [(91, "orin: cannot make a virtual environment: oh"), (92, "orin: cannot install the wheel: oh")],
)
def test_a_board_that_cannot_install_is_named(code: int, message: str) -> None:
    with pytest.raises(MachineError) as caught:
        _check(Remote("orin"), code, ["oh", ""])
    assert caught.value.message == message


def test_an_option_is_no_host() -> None:
    with pytest.raises(InputError, match="--remote needs a host, got `-oProxyCommand=x`"):
        run_remote(Remote("-oProxyCommand=x"), [])


def test_what_is_for_this_end_does_not_travel(tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_text("")
    (tmp_path / "clip.txt").write_text("")
    typed = ["--remote=a@b", "-o", "out", "--source", str(tmp_path / "clip.mp4"), "--threads", "2", "--json", "x.json"]
    kept, files = _travelling(typed)
    assert kept == ["--source", "clip.mp4", "--threads", "2"]
    assert [file.name for file in files] == ["clip.mp4", "clip.txt"]


@pytest.mark.parametrize("typed", [["--model", "{}"], ["--model={}"]])
def test_a_folder_given_as_the_model_travels_whole(tmp_path: Path, typed: list[str]) -> None:
    folder = tmp_path / "my_model"
    folder.mkdir()
    (folder / "a.track.onnx").write_text("")
    kept, files = _travelling([*(word.format(folder) for word in typed), "--threads", "2"])
    assert kept == [*(word.format("my_model") for word in typed), "--threads", "2"]
    assert files == [folder]


def test_a_folder_that_is_called_like_another_option_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "2").mkdir()
    monkeypatch.chdir(tmp_path)
    assert _travelling(["--threads", "2", "--model", "eatrack_s"]) == (["--threads", "2", "--model", "eatrack_s"], [])
    assert _travelling(["--model", "."])[0] == ["--model", tmp_path.name]
