from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import pytest

from sources.clips import picture, write_video


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """Thirty frames at 30 per second, with a key frame every tenth and frames stored out of order."""
    return write_video(tmp_path / "clip.mp4", [number / 30 for number in range(30)], g="10", bf="2")


@pytest.fixture
def images(tmp_path: Path) -> Callable[..., Path]:
    def write(*names: str) -> Path:
        folder = tmp_path / "frames"
        folder.mkdir(exist_ok=True)
        for number, name in enumerate(names):
            (folder / name).parent.mkdir(exist_ok=True)
            cv2.imwrite(str(folder / name), picture(number))
        return folder

    return write
