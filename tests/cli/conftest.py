from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NamedTuple

import pytest

from eatrack_edge.cli import main


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
