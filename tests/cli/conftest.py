from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from eatrack_edge.cli import main
from eatrack_edge.runtime import load
from eatrack_edge.runtime.backends import Backend


class Finished(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Finished]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command line in this process, as the installed script would."""

    def run(*arguments: object) -> Finished:
        monkeypatch.setattr(sys, "argv", ["eatrack-edge", *map(str, arguments)])
        code = 0
        try:
            main()
        except SystemExit as leaving:
            code = int(leaving.code or 0)
        out, err = capsys.readouterr()
        return Finished(code, out, err)

    return run


_open = load._open
_opened = cache(_open)


@pytest.fixture
def opened_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs share the models that are open: to open one takes longer than to track a few frames."""

    def open_once(name: str, model: str | Path, threads: int) -> Backend:
        is_taken_away = sys.modules.get(name, name) is None
        return (_open if is_taken_away else _opened)(name, model, threads)

    monkeypatch.setattr(load, "_open", open_once)
