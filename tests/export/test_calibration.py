from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from eatrack_edge.contract import Contract
from eatrack_edge.crops import CropWindow
from eatrack_edge.errors import InputError
from eatrack_edge.export import calibration
from eatrack_edge.export.calibration import HELD_OUT, read_calibration
from eatrack_edge.export.feeds import template_feeds, track_feeds
from eatrack_edge.export.footage import find_clips

pytestmark = pytest.mark.torch
SCENE = "test://?frames=6&width=160&height=120"


def test_the_same_footage_gives_the_same_crops(contract: Contract) -> None:
    one, two = (read_calibration(SCENE, contract, 5) for _ in range(2))
    assert one.sha256 == two.sha256 != read_calibration(SCENE + "&seed=1", contract, 5).sha256
    assert one.record() == {
        "source": SCENE,
        "pairs": 5,
        "sha256": one.sha256,
        "list": [pair.name for pair in one.pairs],
    }


def test_crops_have_the_contracts_sizes_and_slots(contract: Contract) -> None:
    found = read_calibration(SCENE, replace(contract, template_slots=1), 3)
    assert (len(found.pairs), len(found.held_out)) == (3, HELD_OUT)
    for pair in (*found.pairs, *found.held_out):
        assert [crop.shape for crop in pair.templates] == [(64, 64, 3)]
        assert pair.search.shape == (128, 128, 3)


def test_held_out_pairs_show_other_clips_where_there_are_enough(
    contract: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenes = tuple(f"test://?seed={seed}&frames=3&width=160&height=120" for seed in range(8))
    monkeypatch.setattr(calibration, "_SCENES", scenes)
    found = read_calibration("test://", contract, 20)
    seen = [{pair.name.split()[0] for pair in pairs} for pairs in (found.pairs, found.held_out)]
    assert not seen[0] & seen[1]


def test_search_crops_are_off_the_target_as_a_trackers_are(contract: Contract, monkeypatch: pytest.MonkeyPatch) -> None:
    windows: list[CropWindow] = []
    real = calibration.cut
    monkeypatch.setattr(
        calibration, "cut", lambda frame, window, padding: (windows.append(window), real(frame, window, padding))[1]
    )
    read_calibration(SCENE, contract, 30)
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


def test_feeds_are_named_and_shaped_as_the_contract_says(contract: Contract, fp32: tuple[Path, Path]) -> None:
    pairs = read_calibration(SCENE, contract, 1).pairs
    (feed,) = track_feeds(pairs, contract, fp32[0])
    assert {name: array.shape for name, array in feed.items()} == {
        spec.name: spec.shape for spec in contract.track_inputs()
    }
    assert [list(feed) for feed in template_feeds(pairs, contract)] == [
        ["template", "template_extent", "template_slot"]
    ] * contract.template_slots


def test_footage_that_shows_its_target_once_is_refused(contract: Contract) -> None:
    with pytest.raises(InputError) as caught:
        read_calibration("test://?frames=1&width=160&height=120", contract, 1)
    assert str(caught.value) == (
        "test://?frames=1&width=160&height=120: no clip shows its target in two frames\nhint: give a longer video"
    )
