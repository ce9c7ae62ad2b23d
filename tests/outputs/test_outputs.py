from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from eatrack_edge.core.errors import OutputError, UsageError
from eatrack_edge.outputs.base import BaseOutput, FrameRecord, RunEvent, RunInfo
from eatrack_edge.outputs.outputs import Outputs
from eatrack_edge.outputs.registry import OutputRequest, check_requests

FRAME = np.zeros((48, 64, 3), np.uint8)
RECORD = FrameRecord(0, 0.0, (1, 2, 3, 4), 0.5)


class Noting(BaseOutput):
    """Notes what it is given, and fails where it is told to."""

    def __init__(self, failing: str = "") -> None:
        self.given: list[str] = []
        self._failing = failing

    def _note(self, what: str) -> None:
        self.given.append(what)
        if what == self._failing:
            raise OutputError(f"no {what}")

    def write(self, *_: object) -> None:  # type: ignore[override]
        self._note("frame")

    def write_event(self, _: RunEvent) -> None:
        self._note("event")

    def write_summary(self, _: Mapping[str, object]) -> None:
        self._note("summary")

    def finish(self, _: BaseException | None) -> None:
        self._note("finish")


def _write(outputs: Outputs) -> None:
    outputs.write(RECORD, FRAME, fps=None, templates=[], truth=None)


@pytest.mark.parametrize("failing", ["frame", "event", "summary"])
def test_where_one_output_fails_it_is_finished_and_the_others_get_theirs(failing: str) -> None:
    bad, good = Noting(failing), Noting()
    with Outputs([], RunInfo("x", 30.0), also=[bad, good]) as outputs:
        give = {
            "frame": lambda: _write(outputs),
            "event": lambda: outputs.write_event(RunEvent("gap", 3)),
            "summary": lambda: outputs.write_summary({}),
        }[failing]
        with pytest.raises(OutputError, match=f"no {failing}"):
            give()
        give()
    assert bad.given == [failing, "finish", "finish"]
    assert good.given == [failing, failing, "finish"]


def test_a_failure_to_open_leaves_no_file_and_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OutputError("full")

    monkeypatch.setattr("eatrack_edge.outputs.csv.CsvOutput.open", fail)
    requests = [OutputRequest("jsonl", tmp_path / "a" / "b" / "t.jsonl"), OutputRequest("csv", tmp_path / "t.csv")]
    with pytest.raises(OutputError, match="full"):
        Outputs(requests, RunInfo("x", 30.0))
    assert list(tmp_path.iterdir()) == []


def test_files_of_a_run_that_fails_later_are_kept(tmp_path: Path) -> None:
    requests = [OutputRequest("otb", tmp_path / "t.txt")]

    def run() -> None:
        with Outputs(requests, RunInfo("x", 30.0)) as outputs:
            _write(outputs)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run()
    assert (tmp_path / "t.txt").read_text() == "1.0000,2.0000,3.0000,4.0000\n"


@pytest.mark.parametrize(
    ("path", "message"),
    [
        pytest.param("folder", "cannot be written: is a directory\nhint: name a file, not a folder", id="a folder"),
        pytest.param(
            "file/t.txt",
            "cannot be written: not a directory\nhint: a part of the path is a file, not a folder",
            id="below a file",
        ),
        pytest.param("file", "already there\nhint: --overwrite replaces it", id="there"),
    ],
)
def test_a_file_that_cannot_be_written_is_refused_before_anything_is_opened(
    tmp_path: Path, path: str, message: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("precious")
    with pytest.raises((OutputError, UsageError)) as caught:
        check_requests([OutputRequest("otb", tmp_path / path)], overwrite=False)
    assert str(caught.value) == f"{tmp_path / path}: {message}"


def test_devices_are_not_already_there_and_may_be_named_twice() -> None:
    null = Path("/dev/null")
    check_requests([OutputRequest("otb", null), OutputRequest("csv", null)], overwrite=False)


def test_one_file_by_two_names_is_refused(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "there")
    requests = [OutputRequest("otb", tmp_path / "there" / "t"), OutputRequest("csv", tmp_path / "link" / "t")]
    with pytest.raises(UsageError, match="named for two outputs"):
        check_requests(requests, overwrite=True)
