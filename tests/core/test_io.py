from __future__ import annotations

import errno
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from eatrack_edge.core.errors import InputError, OutputError
from eatrack_edge.core.io import check_writable, sha256, staged, write_whole


@pytest.mark.parametrize(
    "data", ["\N{DEGREE SIGN}\n", b"\xc2\xb0\n", memoryview(b"\xc2\xb0\n")], ids=["text", "bytes", "view"]
)
def test_a_file_is_written_into_a_folder_that_is_made(tmp_path: Path, data: str | bytes | memoryview) -> None:
    path = tmp_path / "new" / "a.txt"
    write_whole(path, data)
    assert path.read_text(encoding="utf-8") == "\N{DEGREE SIGN}\n"
    assert list(path.parent.iterdir()) == [path]


def test_a_full_disk_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.engine"
    path.write_bytes(b"old")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError) as caught:
        write_whole(path, b"new")
    assert str(caught.value) == (
        f"{path}: cannot be written: no space left on device\nhint: free some space, or name another folder: -o FOLDER"
    )
    assert [found.read_bytes() for found in tmp_path.iterdir()] == [b"old"]


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"a\.engine: cannot be written: "):
        write_whole(tmp_path / "file" / "a.engine", b"")


def test_staged_files_appear_together_and_scratch_does_not(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    with staged(folder) as work:
        for name in ("a", "b"):
            (work / name).write_text(name)
        (work / "scratch").mkdir()
        (work / "scratch" / "c").touch()
        assert [path for path in folder.iterdir() if path != work] == []
    assert {path.name: path.read_text() for path in folder.iterdir()} == {"a": "a", "b": "b"}


def test_work_that_fails_leaves_the_folder_as_it_was(tmp_path: Path) -> None:
    def fail(work: Path) -> None:
        (work / "a").write_text("new")
        raise RuntimeError("midway")

    (tmp_path / "a").write_text("old")
    with pytest.raises(RuntimeError, match="midway"), staged(tmp_path) as work:
        fail(work)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a": "old"}


def test_folders_that_were_made_for_work_that_failed_are_gone_and_others_are_not(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), staged(tmp_path / "a" / "b"):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []

    def fail() -> None:
        (tmp_path / "c" / "notes").touch()
        raise RuntimeError

    with pytest.raises(RuntimeError), staged(tmp_path / "c" / "d"):
        fail()
    assert [path.name for path in (tmp_path / "c").iterdir()] == ["notes"]


def test_a_disk_that_fills_up_while_staging_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutputError) as caught, staged(tmp_path):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert str(caught.value) == (
        f"{tmp_path}: cannot be written: no space left on device\nhint: name another: -o FOLDER"
    )


def test_a_file_of_the_work_that_cannot_be_written_is_the_folders_fault(tmp_path: Path) -> None:
    with (
        pytest.raises(OutputError, match="out: cannot be written: no such file or directory"),
        staged(tmp_path / "out") as work,
    ):
        (work / "missing" / "a").touch()


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), "video.mp4"), id="a file elsewhere"),
        pytest.param(BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE)), id="no file at all"),
    ],
)
def test_what_else_the_work_fails_of_is_not_the_folders_fault(tmp_path: Path, error: OSError) -> None:
    with pytest.raises(type(error)) as caught, staged(tmp_path):
        raise error
    assert caught.value is error
    assert list(tmp_path.iterdir()) == []


def test_the_hash_of_several_files_is_that_of_their_bytes_in_a_row(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a", "b")]
    for path in paths:
        path.write_bytes(path.name.encode() * 700_000)  # more than is read at once
    assert sha256(*paths) == hashlib.sha256(b"a" * 700_000 + b"b" * 700_000).hexdigest()


def test_a_file_that_cannot_be_hashed_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone: cannot be read: no such file or directory"):
        sha256(tmp_path / "gone")


def test_what_a_killed_process_left_is_removed_at_the_next_start(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from eatrack_edge.core.io import staged\n"
        "with staged(Path(sys.argv[1])) as work:\n"
        "    (work / 'half').write_text('x'); os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    (left,) = tmp_path.iterdir()
    with staged(tmp_path) as other:
        assert not left.exists()
        with staged(tmp_path) as work:
            assert other.exists(), "of a process that runs"
            (work / "whole").write_text("x")
    assert [path.name for path in tmp_path.iterdir()] == ["whole"]


def test_a_name_that_is_not_utf8_is_written_with_a_replacement(tmp_path: Path) -> None:
    write_whole(tmp_path / "page.html", os.fsdecode(b"caf\xe9 \xc3\xbc"))
    assert (tmp_path / "page.html").read_bytes() == b"caf? \xc3\xbc"


def test_a_folder_is_checked_before_the_work_and_nothing_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_writable(tmp_path / "a" / "b")
    monkeypatch.chdir(tmp_path)
    check_writable(Path("runs") / "bench")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="file is not a folder"):
        check_writable(tmp_path / "file")
    # Root may write everywhere, so the permission is simulated.
    monkeypatch.setattr(os, "access", lambda path, _mode: Path(path) != tmp_path)
    with pytest.raises(OutputError, match=f"a: cannot be written: no permission in {tmp_path}\nhint: name another"):
        check_writable(tmp_path / "a")
