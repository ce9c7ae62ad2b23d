"""No video of the evaluation sets is among the clips that the shipped weights were trained on.

The lists are research data and stay out of the repository: only the SHA-256 of each video's name is here. Where the
data lies beside the checkout, the lists are read again and must be those.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path

import pytest

HASHES = Path(__file__).with_name("source_hashes.json")
# Of a sequence's name: the dataset that it is from, and the part of a video that it is.
_DATASET = re.compile(r"^(otb|vot\d+|dtb70|uav123_10fps|uav123|uavdt|visdrone)_")
_PART = re.compile(r"(_first\d+|_\d+|[.-]\d+|_[a-z])$")


def video_key(name: str) -> str:
    """The video of a sequence's name: person12_1 and uav123_10fps_person12_2 are parts of one.

    Numbers that name a video stay: antiuav_04 is another one than antiuav_09.
    """
    key = _DATASET.sub("", name.lower())
    if not key.startswith(("antiuav", "hituav")):
        key = _PART.sub("", key)
    return re.sub(r"_0+(?=\d)", "_", key)


def hashed(names: set[str]) -> list[str]:
    return sorted(hashlib.sha256(video_key(name).encode()).hexdigest() for name in names)


def shared_data() -> Path:
    named = os.environ.get("EATRACK_SHARED_DATA")
    return Path(named) if named else Path(__file__).resolve().parents[3] / "shared" / "data"


def clips(folder: Path) -> set[str]:
    lines = (line for path in sorted(folder.glob("*.jsonl")) for line in path.read_text(encoding="utf-8").splitlines())
    return {str(entry["clip"]) for entry in map(json.loads, lines) if "clip" in entry}


def sequences(folder: Path) -> set[str]:
    return {path.stem for path in folder.glob("*.mp4")}


@pytest.mark.parametrize(
    ("one", "two", "is_same"),
    [
        pytest.param("person12_1", "uav123_10fps_person12_2", True, id="parts of one video"),
        pytest.param("Jogging_1", "otb_Jogging-2", True, id="two targets of one video"),
        pytest.param("Human3_first199", "Human3", True, id="the beginning of a video"),
        pytest.param("Car1", "otb_Car1", True, id="another spelling"),
        pytest.param("antiuav_07", "antiuav_7", True, id="leading zero"),
        pytest.param("antiuav_04", "antiuav_09", False, id="numbers that name videos"),
        pytest.param("Human3", "Human7", False, id="two videos"),
    ],
)
def test_names_are_compared_by_their_video(one: str, two: str, is_same: bool) -> None:
    assert (hashed({one}) == hashed({two})) is is_same


def test_no_video_of_the_evaluation_sets_was_trained_on() -> None:
    lists = json.loads(HASHES.read_text(encoding="utf-8"))
    training = {value for name, values in lists.items() if name.startswith("train") for value in values}
    evaluation = {value for name, values in lists.items() if not name.startswith("train") for value in values}
    assert len(training) > 400
    assert len(evaluation) > 20
    assert not training & evaluation


@pytest.mark.parametrize("name", ["train", "train2", "uav-dev", "uav-dev2"])
def test_the_hashes_are_those_of_the_lists(name: str) -> None:
    folder = shared_data() / name
    if not folder.is_dir():
        pytest.skip("the research data is not beside this checkout")
    found = hashed(clips(folder) if name.startswith("train") else sequences(folder))
    assert json.loads(HASHES.read_text(encoding="utf-8"))[name] == sorted(set(found))
