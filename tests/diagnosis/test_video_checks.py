from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from diagnosis.conftest import Answers
from eatrack_edge.diagnosis.video_checks import check_disk, check_opencv, check_pyav

ROOT = Path("/")


@pytest.mark.parametrize(
    ("gui", "gstreamer", "text"),
    [
        ("NONE", "NO", "4.11, no windows, no GStreamer"),
        ("QT5", "YES (1.20.3)", "4.11, windows by QT5, GStreamer"),
    ],
)
def test_opencv_says_what_it_was_built_with(answers: Answers, gui: str, gstreamer: str, text: str) -> None:
    answers(cv2={"version": "4.11", "gui": gui, "gstreamer": gstreamer})
    (found,) = check_opencv(ROOT)
    assert found.state == "ok"
    assert found.text.startswith(f"{text}; needed only for --show")


def test_opencv_without_libgl_is_replaced(answers: Answers) -> None:
    answers(cv2={"error": "libGL.so.1: cannot open shared object file", "hint": "pip install opencv-python-headless"})
    (found,) = check_opencv(ROOT)
    assert (found.state, found.text) == ("problem", "does not import: libGL.so.1: cannot open shared object file")
    assert found.fix.startswith("pip uninstall -y opencv-python && pip install opencv-python-headless")


def test_pyav_is_needed(answers: Answers) -> None:
    answers(av={"version": "15.0", "encoders": ["libx264"]})
    assert check_pyav(ROOT)[0].text == "15.0, encodes libx264"
    answers(av={"error": "cannot read and write videos: av is not installed", "hint": "pip install av"})
    (found,) = check_pyav(ROOT)
    assert (found.state, found.fix) == ("problem", "pip install av")


def test_room_for_engines_is_looked_for_where_they_will_lie(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Usage(NamedTuple):
        free: float

    looked_at: list[Path] = []

    def usage(path: Path) -> Usage:
        looked_at.append(path)
        return Usage(free)

    monkeypatch.setenv("EATRACK_HOME", str(tmp_path / "not" / "there"))
    monkeypatch.setattr("shutil.disk_usage", usage)
    free = 5e9
    (found,) = check_disk(ROOT)
    assert (found.state, found.text) == ("ok", f"5.0 GB free for engines in {tmp_path}/not/there/engines")
    assert looked_at == [tmp_path]
    free = 0.2e9
    (found,) = check_disk(ROOT)
    assert (found.state, found.fix) == ("problem", "export EATRACK_HOME=/a/folder/with/room")
