from __future__ import annotations

from pathlib import Path

import numpy as np

from eatrack_edge.datasets import scenes as module
from eatrack_edge.datasets.frame_rate import frame_rate
from eatrack_edge.datasets.frame_sets import SceneFrames
from eatrack_edge.datasets.registry import open_dataset
from eatrack_edge.evaluation.frame_reading import open_frames, read_frame


def test_every_event_has_five_worlds(tmp_path: Path) -> None:
    names = open_dataset("scenes", tmp_path).names
    assert len(names) == 30
    assert names[:2] == ["leave-1", "leave-2"]
    assert names[-1] == "cover_lookalikes-5"


def test_a_scene_knows_when_its_target_cannot_be_seen(tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(module, "_SETTINGS", "frames=150&width=160&height=120&fps=30")
    sequence = open_dataset("scenes", tmp_path).read("cut-1")
    assert np.flatnonzero(sequence.absent).tolist() == list(range(90, 150))
    assert (frame_rate(sequence), sequence.attributes) == (30.0, ("cut",))
    strided = sequence.with_frame_stride(3)
    assert (frame_rate(strided), len(strided), int(strided.absent.sum())) == (10.0, 50, 20)
    assert isinstance(strided.frames, SceneFrames)
    with open_frames(strided) as frames:
        shown = [next(frames) for _ in range(3)]
    np.testing.assert_array_equal(shown[2], read_frame(sequence, 6))
    np.testing.assert_array_equal(shown[2], read_frame(strided, 2))


def test_a_target_without_events_is_never_absent(tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(module, "_SETTINGS", "frames=30&width=160&height=120&fps=30")
    assert not open_dataset("scenes", tmp_path).read("lookalikes-2").absent.any()
