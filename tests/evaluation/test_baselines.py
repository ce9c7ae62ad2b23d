from __future__ import annotations

import csv
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from eatrack_edge.core.errors import MissingExtra
from eatrack_edge.datasets.registry import open_dataset
from eatrack_edge.evaluation.baselines.nanotrack import _crop, _foreground
from eatrack_edge.evaluation.metrics import score_sequence
from eatrack_edge.evaluation.protocol import PROTOCOLS
from eatrack_edge.evaluation.result_files import published_boxes
from eatrack_edge.evaluation.runner import run_sequence
from eatrack_edge.evaluation.trackers import TrackerSpec, open_tracker

# Chaos sets in where a tracker wavers between two targets, so the closest of the easy sequences are compared.
SEQUENCES = ("boat1", "wakeboard7", "MountainBike6")
NAMES = {"nanotrack_v2": "NanoV2", "nanotrack_v3": "NanoV3", "vittrack": "VitTrack"}


def shared() -> Path:
    named = os.environ.get("EATRACK_SHARED_DATA")
    return Path(named).parent if named else Path(__file__).resolve().parents[3] / "shared"


def test_nanotrack_pads_with_the_mean_colour_cut_to_whole_numbers() -> None:
    frame = np.full((40, 40, 3), 100, np.uint8)
    crop = _crop(frame, np.array([0.0, 20.0]), 41, 41, np.array([7.9, 8.0, 9.0]))
    assert crop.shape == (1, 3, 41, 41)
    assert crop[0, :, 20, 0].tolist() == [7, 8, 9]
    assert crop[0, :, 20, 40].tolist() == [100, 100, 100]


def test_nanotracks_crop_is_exact_where_it_lies_inside_the_frame() -> None:
    frame = np.arange(100, dtype=np.uint8)[None, :, None].repeat(100, 0).repeat(3, 2)
    crop = _crop(frame, np.array([50.0, 50.0]), 21, 21, np.zeros(3))
    # pysot's get_subwindow: floor(50 - (21 + 1) / 2 + 0.5) = 39, so columns 39 to 59.
    assert crop[0, 0, 0].tolist() == list(range(39, 60))


def test_nanotracks_score_is_the_softmax_of_its_two_channels() -> None:
    logits = np.array([[[[0.0]], [[np.log(3.0)]]]], np.float32)
    assert _foreground(logits) == pytest.approx([0.75])


@pytest.mark.parametrize("name", ["mil", "kcf", "csrt", "mosse"])
def test_opencvs_trackers_run_or_say_which_build_has_them(name: str) -> None:
    frames = [np.random.default_rng(0).integers(0, 255, (96, 128, 3), dtype=np.uint8)] * 3
    kind = f"Tracker{name.upper()}"
    if not any(hasattr(module, kind) for module in (cv2, getattr(cv2, "legacy", None))):
        with pytest.raises(MissingExtra) as caught:
            open_tracker(TrackerSpec(name))
        assert str(caught.value) == (
            f"cannot run {name}: this OpenCV was built without its contributed trackers\n"
            "hint: pip uninstall opencv-python-headless, then pip install opencv-contrib-python-headless"
        )
        return
    tracker = open_tracker(TrackerSpec(name))
    tracker.init(frames[0], (40.0, 30.0, 24.0, 20.0))
    output = [tracker.update(frame) for frame in frames[1:]]
    assert abs(output[-1].box[0] - 40) < 4


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_baseline_scores_what_was_published_for_it(name: str) -> None:
    videos, weights = shared() / "data" / "uav-dev", shared() / "peers"
    if not (videos / "peers.csv").is_file() or not weights.is_dir():
        pytest.skip(f"the development videos are not at {videos}; set EATRACK_SHARED_DATA")
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed here", exc_type=ImportError)
    with (videos / "peers.csv").open(encoding="utf-8") as file:
        measured = {(row["sequence"], row["tracker"]): float(row["success_auc"]) for row in csv.DictReader(file)}
    dataset = open_dataset("videos", videos, first_pixel=1)
    tracker = open_tracker(TrackerSpec(name, baselines=str(weights)))
    for sequence in map(dataset.read, SEQUENCES):
        boxes = published_boxes(sequence, run_sequence(tracker, sequence))
        score = score_sequence(boxes, sequence.truth, PROTOCOLS["otb"])
        # Theirs were run on the original images, these on videos made of them.
        assert score.success_auc == pytest.approx(measured[sequence.name, NAMES[name]], abs=0.04)
