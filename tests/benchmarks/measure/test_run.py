from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import pytest

from eatrack_edge.benchmarks.measure import run
from eatrack_edge.benchmarks.measure.bench_result import Result
from eatrack_edge.benchmarks.measure.frame_blocks import FrameBlocks
from eatrack_edge.benchmarks.measure.latency import Contestant, Plan
from eatrack_edge.benchmarks.measure.run import Request, run_bench
from eatrack_edge.benchmarks.measure.versus import Entry
from eatrack_edge.core.errors import InputError, UsageError
from eatrack_edge.tracking.tracker import Tracker
from machine import boards
from tracking.simulated import SimulatedBackend, scene

pytest_plugins = ["machine.conftest"]

QUICK = Plan(iterations=6, duration_s=0.0, warmup_ms=0.0, block=3)
BOX = (145.0, 110.0, 30.0, 20.0)


@pytest.fixture
def pictures(tmp_path: Path) -> str:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for step in range(7):
        cv2.imwrite(str(folder / f"{step}.png"), scene(160 + step, 120))
    return str(folder)


@pytest.fixture
def simulated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every tracker of ours is a simulated one."""

    def opened(entry: Entry, _baselines: Path | None, _threads: int) -> Contestant:
        return Contestant(entry.spec, lambda: Tracker(SimulatedBackend()))

    monkeypatch.setattr(run, "open_entry", opened)
    monkeypatch.setattr("eatrack_edge.machine.energy.IDLE_S", 0.02)


def bench(pictures: str, root: Path, **request: object) -> Result:
    wanted = Request(source=pictures, box=BOX, plan=QUICK, versus=("onnxruntime",), **request)  # type: ignore[arg-type]
    return run_bench(wanted, ["eatrack-edge", "bench"], lambda *_: None, root)


@pytest.mark.usefixtures("simulated")
def test_a_run_on_a_board_records_what_the_board_says(pictures: str, nano: boards.Tree) -> None:
    found = bench(pictures, nano.root, device="cpu")
    assert found.measured_on.endswith("(p3767-0005)")
    assert (found.board.kind, found.board.jetpack, found.board.power_mode) == ("orin-nano", "6.2", "MAXN_SUPER")
    assert (found.board.tpc_mask, found.board.clocks_locked) == (240, False)
    assert found.thermal.max["gpu-thermal"] == pytest.approx(47.843)
    assert found.memory_mb["device"] == 0.0, "the simulated memory never changes"
    assert found.energy is not None
    assert found.energy.rails == ["VDD_CPU_GPU_CV", "VDD_IN", "VDD_SOC"]
    assert found.energy.j_per_frame == pytest.approx(0.0, abs=1e-3), "the simulated rails never change"
    assert not found.valid
    assert found.invalid_reasons[0].startswith("the clocks may float")


@pytest.mark.usefixtures("simulated")
@pytest.mark.parametrize(
    ("make", "module", "jetpack", "mode", "is_locked", "hottest", "rails", "watts", "reasons"),
    [
        pytest.param(
            *(boards.orin_nx, "p3767-0000", "5", "25W", True, ("CPU-therm", 98.5)),
            *(["VDD_CPU_GPU_CV", "VDD_IN", "VDD_SOC"], 4.901 * 1.5),
            ["throttled: cpu-throttle-alert was active", "throttled: gpu-throttle-alert was active"],
            id="Orin NX that throttles",
        ),
        pytest.param(
            *(boards.agx_orin, "p3701-0005", "7.2", "MODE_30W", False, ("tj-thermal", 41.062)),
            *(["VDDQ_VDD2_1V8AO", "VDD_CPU_CV", "VDD_GPU_SOC", "VIN_SYS_5V0"], 7.193),
            ["the clocks may float: the GPU's limits are 306 and 612 MHz"],
            id="AGX Orin whose clocks float",
        ),
    ],
)
def test_every_kind_of_board_is_read_whole(
    pictures: str,
    tmp_path_factory: pytest.TempPathFactory,
    make: Callable[[Path], boards.Tree],
    module: str,
    jetpack: str,
    mode: str,
    is_locked: bool,
    hottest: tuple[str, float],
    rails: list[str],
    watts: float,
    reasons: list[str],
) -> None:
    found = bench(pictures, make(tmp_path_factory.mktemp("board")).root, device="cpu")
    assert (found.board.module_id, found.board.jetpack, found.board.power_mode) == (module, jetpack, mode)
    assert (found.board.tpc_mask, found.board.clocks_locked) == (240, is_locked)
    assert max(found.thermal.max.items(), key=lambda item: item[1]) == hottest
    assert found.energy is not None
    assert (found.energy.rails, found.energy.idle_w) == (rails, pytest.approx(watts, abs=2e-3))
    assert [found.invalid_reasons[place][: len(reason)] for place, reason in enumerate(reasons)] == reasons
    assert found.timeline[0].gpu_hz is not None


@pytest.mark.usefixtures("simulated")
@pytest.mark.parametrize("asked", ["orin", "orin-nano", "orin-nx", "agx-orin"])
def test_a_pc_cannot_be_labelled_an_orin(
    pictures: str,
    pc: boards.Tree,
    asked: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    pytest.importorskip("onnx", reason="the projection reads the graph with onnx")
    forged = boards.orin_nano(tmp_path_factory.mktemp("forged"))
    monkeypatch.setenv("EATRACK_DEVICE_TREE", str(forged.root / "proc/device-tree"))
    found = bench(pictures, pc.root, device=asked)
    assert found.measured_on == "ACME Notebook 14, not a Jetson Orin"
    assert (found.board.kind, found.board.module_id, found.board.jetpack) == ("", "", "")
    assert (found.claim.asked, found.claim.is_met) == (asked, False)
    assert found.projection is not None
    assert found.projection["label"] == "projection, not a measurement"
    assert found.model.backend == "simulated"


@pytest.mark.usefixtures("simulated")
def test_a_pc_projects_unless_only_its_cpu_is_asked_for(pictures: str, pc: boards.Tree) -> None:
    assert bench(pictures, pc.root, device="cpu").projection is None
    pytest.importorskip("onnx", reason="the projection reads the graph with onnx")
    assert bench(pictures, pc.root).projection is not None


@pytest.mark.usefixtures("simulated")
def test_ours_and_the_others_are_measured_on_the_same_frames(pictures: str, pc: boards.Tree) -> None:
    found = bench(pictures, pc.root, percentiles=(75.0,), camera_fps=1000.0)
    (other,) = found.versus
    assert other.latency_ms["total"].count == found.latency_ms["total"].count == 6
    assert other.ratio.blocks == 2
    assert found.clip.frames == 7
    assert list(found.latency_ms["total"].percentiles) == ["75"]
    assert found.realtime.camera_fps == 1000.0
    assert found.energy is None
    assert found.memory_mb["device"] is None
    assert found.model.refinement == "off"
    assert "p99 rests on the slowest 1 of 6 updates" in found.notes


@pytest.mark.usefixtures("simulated")
def test_an_unknown_device_is_refused_before_anything_is_measured(pictures: str, pc: boards.Tree) -> None:
    with pytest.raises(UsageError, match="no device called `orin-max`"):
        bench(pictures, pc.root, device="orin-max")


def test_footage_is_read_in_blocks_and_again_from_its_start(pictures: str) -> None:
    with FrameBlocks(pictures, BOX) as frames:
        blocks = frames.blocks(4)
        found = [next(blocks) for _ in range(4)]
    assert [len(block.frames) for block in found] == [4, 2, 4, 2]
    assert [block.first is not None for block in found] == [True, False, True, False]
    assert all(took > 0 for block in found for took in block.decode_ms)
    assert found[0].truth == [None] * 4


def test_the_synthetic_scene_is_decoded_as_a_video_and_brings_its_truth() -> None:
    pytest.importorskip("av")
    with FrameBlocks("test://?frames=3&width=96&height=96") as frames:
        block = next(frames.blocks(5))
    assert len(block.frames) == 2
    assert all(box is not None for box in block.truth)
    assert frames.note == "the synthetic scene, drawn once into a temporary H.264 video"


def test_footage_of_one_frame_is_refused(pictures: str) -> None:
    with FrameBlocks(f"{pictures}/0.png", BOX) as frames, pytest.raises(InputError) as caught:
        next(frames.blocks(4))
    assert caught.value.message == f"{pictures}/0.png: a benchmark needs at least two frames, got 1"


def test_footage_without_a_target_is_refused(pictures: str) -> None:
    with pytest.raises(UsageError) as caught:
        FrameBlocks(pictures)
    assert str(caught.value) == "there is no target\nhint: say where it is in the first frame: --box x,y,w,h"
