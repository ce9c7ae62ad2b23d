"""``--web`` on the command line; ``tests/ground/web`` tests the station itself."""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
from pathlib import Path
from urllib.request import urlopen

import pytest

from cli.conftest import Run
from eatrack_edge.cli import fly_web
from eatrack_edge.cli.fly import FlyCommand
from eatrack_edge.ground.web.web_address import TOKEN_VARIABLE

pytestmark = pytest.mark.usefixtures("opened_once")
SCENE = "test://?width=320&height=240&frames=6"


@pytest.mark.parametrize(
    ("arguments", "parsed"),
    [
        pytest.param(["a.mp4", "--web"], {"source": "a.mp4", "web": "on"}, id="last"),
        pytest.param(
            ["--web", "--realtime", "a.mp4"], {"source": "a.mp4", "web": "on", "realtime": True}, id="before an option"
        ),
        pytest.param(["a.mp4", "--web", "9000"], {"source": "a.mp4", "web": "9000"}, id="a port"),
        pytest.param(["a.mp4", "--web=:9000"], {"source": "a.mp4", "web": ":9000"}, id="with an equals sign"),
        pytest.param(["a.mp4"], {"source": "a.mp4", "web": ""}, id="not given"),
    ],
)
def test_web_may_stand_alone(arguments: list[str], parsed: dict[str, object]) -> None:
    import typer.main

    from eatrack_edge.cli import app

    command = typer.main.get_command(app).commands["fly"]  # type: ignore[attr-defined]
    assert isinstance(command, FlyCommand)
    values = command.make_context("fly", arguments).params
    assert {key: values[key] for key in parsed} == parsed


def test_the_link_is_printed_and_answers_while_it_flies(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[dict[str, object]] = []
    opened = fly_web.open_station

    def open_and_ask(*arguments: object) -> object:
        station = opened(*arguments)  # type: ignore[arg-type]
        assert station is not None

        def ask() -> None:
            deadline = time.monotonic() + 20
            while time.monotonic() < deadline and not (answers and answers[-1]["state"] == "TRACKING"):
                with urlopen(f"{station.link}api/status", timeout=5) as answer:
                    answers.append(json.load(answer))

        threading.Thread(target=ask, daemon=True).start()
        return station

    monkeypatch.setattr("eatrack_edge.cli.fly_run.open_station", open_and_ask)
    done = run("fly", "test://?width=320&height=240&frames=40&fps=20", "--realtime", "--web", 0)
    assert done.code == 0, done.err
    assert "ground station            http://127.0.0.1:" in done.out
    assert answers[-1]["state"] == "TRACKING"
    templates = answers[-1]["templates"]
    assert isinstance(templates, dict)
    assert templates["count"] >= 1
    assert str(answers[-1]["model"]).startswith("eatrack_s on ")


def test_an_address_that_cannot_be_had_is_refused_before_any_file_is_made(run: Run, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = run("fly", SCENE, "--web", taken.getsockname()[1], "--jsonl", tmp_path / "fly.jsonl")
    assert (done.code, "cannot listen: address already in use" in done.err) == (3, True), done.err
    assert not (tmp_path / "fly.jsonl").exists()


@pytest.mark.parametrize("port", ["80x", "8080tcp"])
def test_a_slip_in_a_port_is_not_taken_for_a_name(port: str, run: Run) -> None:
    done = run("fly", SCENE, "--web", port)
    assert (done.code, done.err.partition("\n")[0]) == (2, f"error: --web: not a port: `{port}`")


def test_a_token_is_made_taken_or_refused(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "/?token=" in run("fly", SCENE, "--max-frames", 1, "--web", "0.0.0.0:0").out
    monkeypatch.setenv(TOKEN_VARIABLE, "token-of-the-environment")
    assert "/?token=token-of-the-environment" in run("fly", SCENE, "--max-frames", 1, "--web", "0").out
    done = run("fly", SCENE, "--web", "0", "--web-token", "short")
    assert (done.code, done.err.partition("\n")[0]) == (
        2, "error: the web token needs 16 to 128 letters, digits, `-` or `_`, got 5 characters",
    )  # fmt: skip


def test_without_its_packages_it_says_what_to_install(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "starlette", None)
    done = run("fly", SCENE, "--web", "0")
    assert (done.code, done.err) == (
        3,
        "error: cannot serve the browser ground station: starlette is not installed\nhint: pip install starlette uvicorn websockets\n",
    )


def test_fly_without_web_imports_no_server(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] in ("starlette", "uvicorn")]:
        monkeypatch.delitem(sys.modules, name)
    assert run("fly", SCENE, "--max-frames", 1).code == 0
    assert not {"starlette", "uvicorn"} & sys.modules.keys()
