from __future__ import annotations

import grp
import sys
from pathlib import Path

import pytest

from cli.conftest import Run
from eatrack_edge.machine import service_unit
from eatrack_edge.machine.service_unit import ServiceUnit, default_user, groups_here


def values(unit: str) -> dict[str, str]:
    """Directives of a unit, without its comments."""
    return dict(line.split("=", 1) for line in unit.splitlines() if "=" in line and not line.startswith("#"))


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "etc" / "eatrack-edge" / "fly.toml"
    path.parent.mkdir(parents=True)
    path.write_text('source = "csi://0"\nrecord = "recordings"\nstream = ["rtp://192.168.144.11:5600"]\n')
    return path


def test_the_unit_restarts_watches_and_guards(run: Run, config: Path) -> None:
    done = run("service", "print", "--config", config)
    assert done.code == 0, done.err
    unit = values(done.out)
    expected = {
        "Type": "notify",
        "NotifyAccess": "main",
        "WatchdogSec": "10",
        "Restart": "always",
        "RestartSec": "2",
        "StartLimitIntervalSec": "0",
        "KillSignal": "SIGINT",
        "TimeoutStopSec": "15",
        "StateDirectory": "eatrack-edge",
        "RuntimeDirectory": "eatrack-edge",
        "ProtectSystem": "strict",
        "NoNewPrivileges": "yes",
        "ExecStart": f"{sys.executable} -m eatrack_edge fly --config {config}",
    }
    assert {key: unit[key] for key in expected} == expected
    assert not {"PrivateTmp", "PrivateDevices", "ProtectClock", "DynamicUser"} & unit.keys()  # no camera would be left


def test_without_a_configuration_it_is_that_of_the_default_place(run: Run) -> None:
    assert values(run("service", "print").out)["ExecStart"].endswith("fly --config /etc/eatrack-edge/fly.toml")


def test_folders_outside_its_own_are_made_writable(run: Run, config: Path) -> None:
    config.write_text('source = "0"\nrecord = "/media/card/rec"\nmcap = "/srv/a b.mcap"\noverwrite = true\n')
    unit = values(run("service", "print", "--config", config).out)
    assert unit["ReadWritePaths"] == "-/media/card/rec -/srv"
    assert unit["RequiresMountsFor"] == "/media/card/rec /srv"


def test_only_groups_that_exist_are_named() -> None:
    assert set(groups_here()) == {"video", "render", "dialout"} & {group.gr_name for group in grp.getgrall()}
    assert "SupplementaryGroups" not in ServiceUnit(Path("/etc/fly.toml"), "pilot").text()


def test_an_environment_in_a_home_is_run_by_its_owner() -> None:
    assert default_user(Path("/home/pilot/venv"), lambda _: "pilot") == "pilot"
    assert default_user(Path("/opt/eatrack-edge"), lambda _: "root") == "eatrack-edge"
    unit = ServiceUnit(Path("/etc/fly.toml"), "pilot", prefix=Path("/home/pilot/venv"))
    assert values(unit.text())["ProtectHome"] == "read-only"


@pytest.mark.usefixtures("config")
def test_installing_writes_the_unit_and_its_user_and_starts_nothing(run: Run, tmp_path: Path) -> None:
    done = run("service", "install", "--root", tmp_path, "--user", "eatrack-edge")
    assert done.code == 0, done.err
    unit = tmp_path / "etc/systemd/system/eatrack-edge.service"
    assert values(unit.read_text())["ExecStart"].endswith("fly --config /etc/eatrack-edge/fly.toml")
    assert "u eatrack-edge - " in (tmp_path / "etc/sysusers.d/eatrack-edge.conf").read_text()
    assert f"wrote                     {unit}" in done.out
    assert "sudo systemctl enable --now eatrack-edge" in done.out


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(None, "no such file\nhint: eatrack-edge fly SOURCE --record recordings --print-config | sudo tee ", id="missing"),
        pytest.param('record = "x"\n', 'it names no source\nhint: for example: source = "/dev/video0"', id="no source"),
        pytest.param('sorce = "0"\n', "unknown key `sorce`", id="misspelt"),
    ],
)  # fmt: skip
def test_what_cannot_fly_is_not_installed(
    text: str | None, message: str, run: Run, config: Path, tmp_path: Path
) -> None:
    config.unlink() if text is None else config.write_text(text)
    done = run("service", "install", "--root", tmp_path)
    assert done.code == 2
    assert message in done.err
    assert not (tmp_path / "etc/systemd").exists()


def test_a_log_that_a_restart_would_find_is_noted(run: Run, config: Path) -> None:
    config.write_text('source = "0"\njsonl = "fly.jsonl"\n')
    assert (
        "note: a file that exists is not replaced: a second start would fail"
        in run("service", "print", "--config", config).err
    )


def test_a_path_with_blanks_and_signs_is_quoted_for_systemd() -> None:
    assert service_unit._quoted(Path('/a b/100%/"c"'), "-") == '"-/a b/100%%/\\"c\\""'
