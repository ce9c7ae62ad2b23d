from __future__ import annotations

import os
import time
from pathlib import Path
from queue import SimpleQueue

import pytest

from eatrack_edge.cli.fly_commands import obey_from, open_commands
from eatrack_edge.core.errors import UsageError
from eatrack_edge.session.commands import Command, Quit, Select


def test_a_last_line_without_its_end_is_obeyed(tmp_path: Path) -> None:
    (tmp_path / "commands").write_text("\nselect 423,250,43,68")
    obeyed: SimpleQueue[Command] = SimpleQueue()
    obey_from(open_commands(str(tmp_path / "commands")), obeyed.put)
    assert obeyed.get(timeout=5) == Select((423, 250, 43, 68))


def test_a_fifo_without_a_writer_does_not_keep_the_start_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "commands")
    begin, obeyed = time.monotonic(), SimpleQueue[Command]()
    obey_from(open_commands(str(tmp_path / "commands")), obeyed.put)
    assert time.monotonic() - begin < 2
    (tmp_path / "commands").write_text("quit\n")
    assert obeyed.get(timeout=5) == Quit()


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        open_commands(str(tmp_path))
    assert str(caught.value) == f"{tmp_path}: a folder holds no commands\nhint: mkfifo {tmp_path}/commands"


def test_what_cannot_be_opened_is_refused_with_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "commands").touch()

    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)  # tests may run as root, who may read everything
    with pytest.raises(UsageError) as caught:
        open_commands(str(tmp_path / "commands"))
    assert caught.value.message == f"{tmp_path / 'commands'}: no commands can be read: permission denied"
