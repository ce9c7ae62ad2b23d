from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from eatrack_edge.core.errors import InputError
from eatrack_edge.scene.render import Scene
from eatrack_edge.scene.target_events import Events
from eatrack_edge.sources.synthetic import SyntheticSource

FRAMES, FPS, SIZE = 60, 10, (160, 120)


@cache
def scene(seed: int = 1, **events: int) -> Scene:
    return Scene(seed, FRAMES, SIZE, float(FPS), Events(**events))


def gone(of: Scene) -> tuple[int, int]:
    """First and last frame in which less than a tenth of the target can be seen, all between them alike."""
    frames = np.flatnonzero(of.visible < 0.1)
    assert (np.diff(frames) == 1).all()
    return int(frames[0]), int(frames[-1])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_target_that_leaves_is_out_of_the_picture_and_comes_back(seed: int) -> None:
    left = scene(seed, leave=15, gone=20)
    first, last = gone(left)
    assert 15 < first <= 22, "the camera has 0.7 s to turn away"
    assert last == pytest.approx(first + 27, abs=3), "2 s, and the rest of both turns"
    middle = left.truth[:, :2] + left.truth[:, 2:] / 2
    outside = ((middle < 0) | (middle > SIZE)).any(1)
    assert outside[first + 2 : last - 1].all()
    assert not outside[[14, FRAMES - 1]].any()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_covered_target_is_in_the_picture_and_under_the_bridge(seed: int) -> None:
    covered = scene(seed, cover=20, gone=20)
    first, last = gone(covered)
    assert first == pytest.approx(20, abs=3)
    assert 15 <= last - first + 1 <= 30, "2 s, and more where the road turns under the bridge"
    middle = covered.truth[first : last + 1, :2] + covered.truth[first : last + 1, 2:] / 2
    assert ((middle > 0) & (middle < SIZE)).all()


def test_a_cut_shows_another_place_from_its_first_frame_to_its_last() -> None:
    cut, plain = scene(cut=20, gone=15), scene()
    assert gone(cut) == (20, 34)
    np.testing.assert_array_equal(cut.render(19), plain.render(19))
    np.testing.assert_array_equal(cut.render(35), plain.render(35))
    assert np.abs(cut.render(20).astype(int) - plain.render(20)).mean() > 10


def test_lookalikes_are_drawn_beside_the_target_and_change_neither_it_nor_its_truth() -> None:
    among, alone = scene(lookalikes=4), scene()
    np.testing.assert_array_equal(among.truth, alone.truth)
    changed = np.abs(among.render(5).astype(int) - alone.render(5)).sum(2) > 60
    x, y, w, h = (round(value) for value in alone.truth[5])
    assert changed.sum() > 0.5 * w * h, "at least one of them is in the picture"
    assert not changed[y + h // 4 : y + 3 * h // 4, x + w // 4 : x + 3 * w // 4].any()


def test_a_scene_without_events_is_drawn_as_ever() -> None:
    with SyntheticSource(seed=1, frames=2, width=160, height=120) as source:
        assert source.uri == "test://?seed=1&frames=2&width=160&height=120&fps=30"


def test_events_are_read_from_the_address_and_stand_in_it() -> None:
    uri = "test://?seed=1&frames=60&width=160&height=120&fps=10&leave=15&gone=20&lookalikes=2"
    with SyntheticSource.from_uri(uri) as source:
        assert source.uri == uri
        assert source.truth is not None
        np.testing.assert_array_equal(source.truth, scene(leave=15, gone=20, lookalikes=2).truth)
    with pytest.raises(InputError, match="`lookalikes` must be 0 to 4, got 5"):
        SyntheticSource.from_uri("test://?lookalikes=5")
    with pytest.raises(InputError, match="unknown setting `leaves`"):
        SyntheticSource.from_uri("test://?leaves=5")
