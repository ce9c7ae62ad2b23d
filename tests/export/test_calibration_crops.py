from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from eatrack_edge.core.crops import CropWindow
from eatrack_edge.core.errors import InputError
from eatrack_edge.core.model_spec import ModelSpec
from eatrack_edge.export import calibration_crops as calibration
from eatrack_edge.export.calibration_crops import HELD_OUT, read_calibration
from eatrack_edge.export.clips import find_clips
from eatrack_edge.export.graph_inputs import template_feeds, track_feeds

pytestmark = pytest.mark.torch
SCENE = "test://?frames=6&width=160&height=120"


def test_the_same_footage_gives_the_same_crops(model_spec: ModelSpec) -> None:
    one, two = (read_calibration(SCENE, model_spec, 5) for _ in range(2))
    assert one.sha256 == two.sha256 != read_calibration(SCENE + "&seed=1", model_spec, 5).sha256
    assert one.record() == {
        "source": SCENE,
        "pairs": 5,
        "sha256": one.sha256,
        "list": [pair.name for pair in one.pairs],
    }


def test_crops_have_the_model_specs_sizes_and_slots(model_spec: ModelSpec) -> None:
    found = read_calibration(SCENE, replace(model_spec, template_slots=1), 3)
    assert (len(found.pairs), len(found.held_out)) == (3, HELD_OUT)
    for pair in (*found.pairs, *found.held_out):
        assert [crop.shape for crop in pair.templates] == [(64, 64, 3)]
        assert pair.search.shape == (128, 128, 3)


def test_held_out_pairs_show_other_clips_where_there_are_enough(
    model_spec: ModelSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenes = tuple(f"test://?seed={seed}&frames=3&width=160&height=120" for seed in range(8))
    monkeypatch.setattr(calibration, "_SCENES", scenes)
    found = read_calibration("test://", model_spec, 20)
    seen = [{pair.name.split()[0] for pair in pairs} for pairs in (found.pairs, found.held_out)]
    assert not seen[0] & seen[1]


def test_search_crops_are_off_the_target_as_a_trackers_are(
    model_spec: ModelSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    windows: list[CropWindow] = []
    real = calibration.cut
    monkeypatch.setattr(
        calibration, "cut", lambda frame, window, padding: (windows.append(window), real(frame, window, padding))[1]
    )
    read_calibration(SCENE, model_spec, 30)
    (clip,) = find_clips(SCENE)
    side = float(np.sqrt(clip.boxes[:, 2] * clip.boxes[:, 3]).mean())
    centres = clip.boxes[:, :2] + clip.boxes[:, 2:] / 2
    searches = [window for window in windows if window.out_size == 128]
    offset = [
        float(np.abs(centres - (window.x + window.side / 2, window.y + window.side / 2)).max(axis=1).min()) / side
        for window in searches
    ]
    assert 0.05 < np.median(offset) < 1
    assert np.std([np.log(window.side) for window in searches]) > 0.1


def test_feeds_are_named_and_shaped_as_the_model_spec_says(model_spec: ModelSpec, fp32: tuple[Path, Path]) -> None:
    pairs = read_calibration(SCENE, model_spec, 1).pairs
    (feed,) = track_feeds(pairs, model_spec, fp32[0])
    assert {name: array.shape for name, array in feed.items()} == {
        spec.name: spec.shape for spec in model_spec.track_inputs()
    }
    assert [list(feed) for feed in template_feeds(pairs, model_spec)] == [
        ["template", "template_extent", "template_slot"]
    ] * model_spec.template_slots


def test_footage_that_shows_its_target_once_is_refused(model_spec: ModelSpec) -> None:
    with pytest.raises(InputError) as caught:
        read_calibration("test://?frames=1&width=160&height=120", model_spec, 1)
    assert str(caught.value) == (
        "test://?frames=1&width=160&height=120: no clip shows its target in two frames\nhint: give a longer video"
    )
