"""The unit of ``eatrack-edge service``, read by systemd's own programs."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from cli.conftest import Run


def config_in(root: Path, text: str) -> Path:
    path = root / "etc" / "eatrack-edge" / "fly.toml"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    return path


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd")
@pytest.mark.parametrize("record", ["recordings", "/srv/a folder/100%"])
def test_systemd_finds_nothing_wrong_with_it(record: str, run: Run, tmp_path: Path) -> None:
    config = config_in(tmp_path, f'source = "/dev/video0"\nrecord = "{record}"\n')
    path = config.with_name("eatrack-edge.service")
    path.write_text(run("service", "print", "--config", config).out)
    done = subprocess.run(["systemd-analyze", "verify", str(path)], capture_output=True, text=True, timeout=60)
    ours = [line for line in done.stderr.splitlines() if "eatrack-edge" in line]
    assert (done.returncode, ours) == (0, [])


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd")
def test_systemd_would_find_a_directive_that_is_misspelt(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "eatrack-edge.service"
    path.write_text(run("service", "print").out.replace("WatchdogSec=10", "WatchdogSec=ten"))
    done = subprocess.run(["systemd-analyze", "verify", str(path)], capture_output=True, text=True, timeout=60)
    assert "Failed to parse sec value, ignoring: ten" in done.stderr


@pytest.mark.skipif(shutil.which("systemd-sysusers") is None, reason="needs systemd")
def test_systemd_makes_the_user_from_its_file(run: Run, tmp_path: Path) -> None:
    config_in(tmp_path, 'source = "0"')
    assert run("service", "install", "--root", tmp_path, "--user", "eatrack-edge").code == 0
    command = ["systemd-sysusers", f"--root={tmp_path}", str(tmp_path / "etc/sysusers.d/eatrack-edge.conf")]
    subprocess.run(command, check=True, timeout=30)
    assert "eatrack-edge:x:" in (tmp_path / "etc/passwd").read_text()
