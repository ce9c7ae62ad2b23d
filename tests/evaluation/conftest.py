from __future__ import annotations

import os
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

FRAMES = 12


@pytest.fixture
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Worker processes find the trackers of these tests by name, whatever way pytest imported them."""
    here = str(Path(__file__).parent)
    monkeypatch.syspath_prepend(here)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([here, *sys.path]))


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Two sequences: in ``near`` the target stays, in ``far`` it leaves the first box, then the frame."""
    root = tmp_path / "data"
    for name in ("near", "far"):
        (root / name).mkdir(parents=True)
        rows = []
        for number in range(FRAMES):
            x = 10 + (8 * number if name == "far" else 0)
            frame = np.full((60, 160, 3), 40, np.uint8)
            frame[10:20, x : x + 10] = (30, 200, 20 * number)
            cv2.imwrite(str(root / name / f"{number:04d}.png"), frame)
            is_gone = name == "far" and number == FRAMES - 1
            rows.append("nan,nan,nan,nan" if is_gone else f"{x + 1},11,10,10")
        (root / f"{name}.txt").write_text("\n".join(rows) + "\n")
    return root
