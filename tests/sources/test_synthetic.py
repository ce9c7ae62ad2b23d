from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eatrack_edge.core.errors import InputError
from eatrack_edge.scene import ground, vehicles
from eatrack_edge.scene.render import Scene
from eatrack_edge.sources.registry import open_source
from eatrack_edge.sources.synthetic import SyntheticSource

SMALL = "width=128&height=96"
SEEDS = range(3)


@pytest.fixture(scope="module", params=SEEDS)
def scene(request: pytest.FixtureRequest) -> Scene:
    built = Scene(request.param, 240, (320, 240), 30.0)
    _ = built.truth, built.visible  # worked out before a test takes the target away
    return built


def test_the_same_seed_gives_the_same_frames_also_from_a_later_start() -> None:
    whole = list(open_source(f"test://?seed=5&frames=12&{SMALL}"))
    ground.paint.cache_clear()
    late = list(open_source(f"test://?seed=5&frames=12&{SMALL}", start=7))
    assert [read.index for read in late] == [7, 8, 9, 10, 11]
    for one, other in zip(whole[7:], late, strict=True):
        assert (one.frame == other.frame).all()
        assert (one.truth, one.visible, one.pts_s) == (other.truth, other.visible, other.pts_s)


def test_another_seed_is_another_world() -> None:
    one, other = (next(iter(open_source(f"test://?seed={seed}&{SMALL}"))) for seed in (1, 2))
    assert (one.frame != other.frame).mean() > 0.5
    assert one.truth != other.truth


def test_the_defaults_are_eight_seconds_of_vga(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eatrack_edge.sources.synthetic.Scene", lambda *_: None)
    source = open_source("test://")
    assert (source.frame_count, source.fps, source.size, source.name) == (240, 30.0, (640, 480), "synthetic-0")
    assert source.uri == "test://?seed=0&frames=240&width=640&height=480&fps=30"


def test_the_truth_is_the_extent_of_the_drawn_car(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vehicles, "_SHADOW", 0.0)
    clear = np.flatnonzero(scene.visible == 1)[::18]
    with_target = {int(index): scene.render(int(index)).astype(int) for index in clear}
    away = replace(scene._target.drive, middle=scene._target.drive.middle - 1e4)
    monkeypatch.setattr(scene, "_target", replace(scene._target, drive=away))
    for index, frame in with_target.items():
        rows, columns = np.nonzero(np.abs(frame - scene.render(index)).max(2) > 14)
        drawn = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        x, y, w, h = scene.truth[index]
        # The car's dark rounded edge against dark asphalt: within a pixel.
        np.testing.assert_allclose(drawn, (x, y, x + w, y + h), atol=1.2)


def test_the_target_stays_in_the_frame_turns_and_changes_its_size(scene: Scene) -> None:
    boxes = scene.truth
    assert (boxes[:, :2] >= 0).all()
    assert (boxes[:, :2] + boxes[:, 2:] <= scene.size).all()
    sizes = np.sqrt(boxes[:, 2] * boxes[:, 3])
    assert sizes.max() / sizes.min() > 1.3
    seen = np.einsum("nij,nj->ni", [scene._flight.camera(i)[:, :2] for i in range(240)], scene._target.drive.direction)
    turned = np.unwrap(np.arctan2(seen[:, 1], seen[:, 0]))
    assert np.ptp(turned) > 0.5


def test_the_target_is_hidden_for_a_while_and_comes_back(scene: Scene) -> None:
    assert (scene.visible[:25] > 0.8).all()
    assert scene.visible.min() < 0.75
    assert 12 <= (scene.visible < 0.9).sum() <= 90
    assert (scene.visible[-5:] > 0.7).all()
    assert ((scene.visible >= 0) & (scene.visible <= 1)).all()


def test_the_hidden_part_of_the_car_is_not_drawn(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    index = int(scene.visible.argmin())
    x, y, w, h = scene.truth[index].round().astype(int)
    with_target = scene.render(index)[y : y + h, x : x + w].astype(int)
    away = replace(scene._target.drive, middle=scene._target.drive.middle - 1e4)
    monkeypatch.setattr(scene, "_target", replace(scene._target, drive=away))
    changed = np.abs(with_target - scene.render(index)[y : y + h, x : x + w]).max(2) > 14
    assert changed.mean() < scene.visible[index] + 0.05


def test_boxes_move_smoothly(scene: Scene) -> None:
    centres = scene.truth[:, :2] + scene.truth[:, 2:] / 2
    assert np.linalg.norm(np.diff(centres, axis=0), axis=1).max() < 6


def test_a_long_scene_drives_on_round_the_ring() -> None:
    scene = Scene(0, 2000, (128, 96), 30.0)
    assert np.isfinite(scene.truth).all()
    assert (scene.visible < 0.5).sum() > 5
    assert scene.render(1999).shape == (96, 128, 3)


@settings(max_examples=12)
@given(st.integers(0, 2**31 - 1))
def test_every_seed_keeps_the_target_in_sight_of_the_camera(seed: int) -> None:
    scene = Scene(seed, 240, (96, 96), 30.0)
    centres = scene.truth[:, :2] + scene.truth[:, 2:] / 2
    assert ((centres > 0) & (centres < 96)).all()


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        pytest.param("test://?sed=3", "unknown setting `sed`\nhint: did you mean `seed`?", id="misspelt"),
        pytest.param(
            "test://?colour=3",
            "unknown setting `colour`\nhint: settings are seed, frames, width, height, fps, leave, cut, cover, gone, lookalikes",
            id="unknown",
        ),
        pytest.param("test://?seed=x", "`seed` must be a whole number, got `x`", id="not a number"),
        pytest.param("test://?frames=", "`frames` must be a whole number, got ``", id="nothing"),
        pytest.param(
            "test://seed=3",
            "the synthetic scene has no parts\nhint: settings follow a `?`: test://?seed=3",
            id="no question mark",
        ),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(uri: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        open_source(uri)
    assert str(caught.value) == f"{uri}: {message}"


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("frames=0", "`frames` must be 1 to 100000, got 0"),
        ("width=40", "`width` must be 96 to 4096, got 40"),
        ("height=9000", "`height` must be 96 to 4096, got 9000"),
        ("seed=-1", "`seed` must be 0 to 2147483647, got -1"),
        ("fps=0", "`fps` must be 1 to 240, got 0"),
    ],
)
def test_a_setting_out_of_range_is_refused_with_the_range(setting: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        open_source(f"test://?{setting}")
    assert str(caught.value) == f"test://: {message}"


def test_the_source_knows_truth_and_visibility_of_the_whole_scene() -> None:
    source = SyntheticSource(frames=3, width=96, height=96)
    reads = list(source)
    np.testing.assert_array_equal(source.truth, [read.truth for read in reads])
    np.testing.assert_array_equal(source.visible, [read.visible for read in reads])
