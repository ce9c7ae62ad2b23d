from __future__ import annotations

from pathlib import Path

import pytest

from machine import boards


@pytest.fixture
def nano(tmp_path: Path) -> boards.Tree:
    return boards.orin_nano(tmp_path)


@pytest.fixture
def nx(tmp_path: Path) -> boards.Tree:
    return boards.orin_nx(tmp_path)


@pytest.fixture
def agx(tmp_path: Path) -> boards.Tree:
    return boards.agx_orin(tmp_path)


@pytest.fixture
def pc(tmp_path: Path) -> boards.Tree:
    return boards.pc(tmp_path)


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch) -> dict[str, OSError]:
    """What reading a file whose path ends so raises: sensors that are asleep cannot be put into a folder."""
    refused: dict[str, OSError] = {}

    def read(path: Path) -> bytes:
        for ending, error in refused.items():
            if str(path).endswith(ending):
                raise error
        return path.read_bytes()

    monkeypatch.setattr("eatrack_edge.machine.sysfs._read_bytes", read)
    return refused
