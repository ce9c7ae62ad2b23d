"""Each kind of thing is added in one place: here from outside, by the public hooks, as docs/extend.md shows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from eatrack_edge import (
    InputError,
    MotionSettings,
    RefinementSettings,
    TemplateSettings,
    Tracker,
    TrackerSettings,
    UsageError,
    open_source,
    register_backend,
    register_baseline,
    register_dataset,
    register_motion_model,
    register_output,
    register_refinement,
    register_source,
    register_template_policy,
)
from eatrack_edge.core.boxes import Box
from eatrack_edge.core.crops import CropWindow, Frame
from eatrack_edge.core.registry import Registry
from eatrack_edge.datasets.plain_folders import images
from eatrack_edge.datasets.registry import DATASETS, open_dataset
from eatrack_edge.evaluation.baselines.base import Baseline, BaselineResult
from eatrack_edge.evaluation.baselines.registry import BASELINES
from eatrack_edge.evaluation.trackers import TrackerSpec, open_tracker
from eatrack_edge.inference.registry import BACKENDS
from eatrack_edge.outputs.base import BaseOutput, FrameRecord, RunInfo
from eatrack_edge.outputs.outputs import Outputs
from eatrack_edge.outputs.registry import OUTPUTS, open_output, request_for
from eatrack_edge.session.session import track
from eatrack_edge.sources.images import ImageSource
from eatrack_edge.sources.registry import SOURCES
from eatrack_edge.tracking.motion import MOTION_MODELS, StaticMotion
from eatrack_edge.tracking.refinement import REFINEMENTS, NoRefinement
from eatrack_edge.tracking.templates import TEMPLATE_POLICIES, FirstOnly
from tracking.simulated import SimulatedBackend, scene

START: Box = (145.0, 110.0, 30.0, 20.0)


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    """Nothing that a test adds outlives it."""
    yield
    for registry in (SOURCES, OUTPUTS, BACKENDS, DATASETS, BASELINES, TEMPLATE_POLICIES, MOTION_MODELS, REFINEMENTS):
        for name in list(registry._registered):
            registry.unregister(name)


def test_a_source_is_added_by_its_scheme(tmp_path: Path) -> None:
    @register_source("reversed")
    def open_reversed(uri, options):  # type: ignore[no-untyped-def]
        paths = sorted(Path(uri.removeprefix("reversed://")).glob("*.png"), reverse=True)
        return ImageSource(paths, name="reversed", uri=uri, start=options.start, fps=options.image_fps)

    import cv2

    for index in range(3):
        cv2.imwrite(str(tmp_path / f"{index}.png"), np.full((8, 8, 3), 10 * index, np.uint8))
    with open_source(f"reversed://{tmp_path}") as source:
        assert [item.frame.max() for item in source] == [20, 10, 0]


def test_an_output_is_added_with_its_suffix(tmp_path: Path) -> None:
    @register_output("centres")
    class Centres(BaseOutput):
        suffixes = (".centres",)

        def __init__(self, path: Path) -> None:
            self._path, self._centres = path, []

        @classmethod
        def open(cls, path: Path, run: RunInfo) -> Centres:
            return cls(path)

        def write(self, record: FrameRecord, picture: object = None) -> None:
            x, y, w, h = record.box
            self._centres.append([x + w / 2, y + h / 2])

        def finish(self, error: BaseException | None) -> None:
            self._path.write_text(json.dumps(self._centres))

    path = tmp_path / "a.centres"
    with Outputs([request_for(path)], RunInfo("x", 30.0)) as outputs:
        record = FrameRecord(0, 0.0, (10, 20, 4, 6), 0.9)
        outputs.write(record, scene(160, 120), fps=None, templates=[], truth=None)
    assert json.loads(path.read_text()) == [[12, 23]]


def test_a_backend_is_added_by_name() -> None:
    @register_backend("red_patch")
    def open_red_patch(model, threads):  # type: ignore[no-untyped-def]
        return SimulatedBackend()

    with Tracker("anything", backend="red_patch") as tracker:
        tracker.init(scene(160, 120), START)
        assert tracker.update(scene(162, 121)).state == "TRACKING"
        assert tracker.backend.name == "simulated"


def test_a_dataset_is_added_by_name(tmp_path: Path) -> None:
    import cv2

    (tmp_path / "a").mkdir()
    cv2.imwrite(str(tmp_path / "a" / "1.png"), np.zeros((8, 8, 3), np.uint8))
    (tmp_path / "a.txt").write_text("1,2,3,4\n")

    @register_dataset("ours")
    def ours(root: Path):  # type: ignore[no-untyped-def]
        return images(root, first_pixel=1)

    sequence = open_dataset("ours", tmp_path).read("a")
    assert (sequence.name, sequence.first_pixel, len(sequence.truth)) == ("a", 1, 1)


def test_a_baseline_is_added_by_name() -> None:
    class Still:
        def init(self, frame: object, box: Box) -> None:
            self._box = box

        def update(self, frame: object) -> BaselineResult:
            return BaselineResult(self._box, 1.0)

    register_baseline("still")(Baseline(lambda files, threads: Still()))
    tracker = open_tracker(TrackerSpec("still"))
    tracker.init(scene(160, 120), START)
    assert tracker.update(scene(160, 120)).box == START


@pytest.mark.torch
def test_a_model_is_added_by_name() -> None:
    from eatrack_edge import register_model
    from eatrack_edge.model.architecture import Architecture
    from eatrack_edge.model.registry import MODELS, architecture

    register_model("one_block")(Architecture(dim=48, heads=3, separate_blocks=0, joint_blocks=1))
    assert architecture("one_block").joint_blocks == 1
    MODELS.unregister("one_block")


def test_a_template_policy_is_added_by_name() -> None:
    @register_template_policy("counts")
    class Counts(FirstOnly):
        decided: list[int] = []

        def decide(self, frame_index: int):  # type: ignore[no-untyped-def]
            self.decided.append(frame_index)
            return None, None

    settings = TrackerSettings(templates=TemplateSettings(policy="counts"))
    tracker = Tracker(SimulatedBackend(), settings=settings)
    tracker.init(scene(160, 120), START)
    for _ in range(3):
        tracker.update(scene(160, 120))
    assert Counts.decided == [1, 2, 3]


def test_a_motion_model_is_added_by_name() -> None:
    @register_motion_model("right")
    class Right(StaticMotion):
        def predict(self, box: Box) -> Box:
            return box[0] + 50, *box[1:]

    settings = TrackerSettings(motion=MotionSettings(model="right"))
    tracker = Tracker(SimulatedBackend(), settings=settings)
    tracker.init(scene(160, 120), START)
    x, _, w, _ = tracker.update(scene(250, 120)).box  # 90 px away: beyond the search region of the last box
    assert x + w / 2 == pytest.approx(250, abs=4)


def test_a_refinement_is_added_by_name() -> None:
    @register_refinement("twice_as_wide")
    class TwiceAsWide(NoRefinement):
        def refine(self, search: Frame, window: CropWindow, box: Box) -> Box:
            del search, window
            x, y, w, h = box
            return x - w / 2, y, 2 * w, h

    settings = TrackerSettings(size_rate=1.0, refinement=RefinementSettings(policy="twice_as_wide"))
    tracker = Tracker(SimulatedBackend(), settings=settings)
    tracker.init(scene(160, 120), START)
    assert tracker.update(scene(160, 120)).box[2] == pytest.approx(2 * START[2], rel=0.1)


def test_a_name_that_is_taken_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        register_source("file")(lambda uri, options: None)
    assert str(caught.value) == "there is a source called `file` already\nhint: choose another name"


def test_an_entry_point_of_another_package_is_found_without_an_import(tmp_path: Path, monkeypatch) -> None:
    package = tmp_path / "rosbag_source-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: rosbag-source\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text("[eatrack_edge.shapes]\nrosbag = json:dumps\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    shapes: Registry[Callable[..., str]] = Registry("shape", {})
    assert "rosbag" in shapes
    assert shapes.names() == ("rosbag",)
    assert shapes.get("rosbag")([1]) == "[1]"


@pytest.mark.parametrize(("kind", "kinds"), [("shape", "shapes"), ("template policy", "template policies")])
def test_an_unknown_name_is_refused_with_the_known_ones(kind: str, kinds: str) -> None:
    with pytest.raises(UsageError) as caught:
        Registry[str](kind, {"round": "1", "square": "2"}).get("blue")
    assert str(caught.value) == f"no {kind} called `blue`\nhint: known {kinds}: round, square"


def test_every_built_in_name_can_be_imported() -> None:
    for registry in (SOURCES, OUTPUTS, BACKENDS, DATASETS, BASELINES, TEMPLATE_POLICIES, MOTION_MODELS, REFINEMENTS):
        for name in registry._built_in:
            assert registry.get(name) is not None


def test_a_suffix_that_no_output_has_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        open_output(tmp_path / "a.xlsx", RunInfo("x", 30.0))
    message, hint = str(caught.value).splitlines()
    assert message == f"{tmp_path}/a.xlsx: no output has the suffix `.xlsx`"
    assert hint == "hint: use .mp4, .m4v, .mov, .mkv, .ts, .jsonl, .csv, .txt"


def test_a_session_tracks_an_added_source_with_an_added_backend() -> None:
    @register_source("patch")
    def open_patch(uri, options):  # type: ignore[no-untyped-def]
        raise InputError(f"{uri}: not there")

    with pytest.raises(InputError, match="patch://x: not there"):
        list(track(Tracker(SimulatedBackend()), open_source("patch://x"), START))
