from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from eatrack_edge.core.errors import ConfigError, GateFailed, InputError
from eatrack_edge.export import tracking_gate as gate
from eatrack_edge.export.clips import Clip
from eatrack_edge.export.tracking_gate import GateBudget, Verdict

pytestmark = pytest.mark.torch
SCENE = "test://?frames=5&width=160&height=120"
VERDICT = Verdict(
    "int8", "test://", 4, 296, "openvino (CPU, int8)", (0.71, 0.69), (0.70, 0.69), 0.01, 0.94, (0.4, 0.5, 0.6)
)


def test_a_graph_compared_with_itself_loses_nothing(fp32: tuple[Path, Path]) -> None:
    frames: list[tuple[int, int]] = []
    verdict = gate.evaluate_tracking(
        fp32[1], fp32[1], SCENE, 0.0, backend="onnxruntime", on_frame=lambda *seen: frames.append(seen)
    )
    assert (verdict.drop, verdict.is_passed) == (0, True)
    assert verdict.median_box_iou == pytest.approx(1)
    assert verdict.backend == "onnxruntime (CPU)"
    assert frames == [(done, 4) for done in (1, 2, 3, 4)]
    assert verdict.frames == 4


def test_each_clip_is_tracked_from_several_initial_boxes(fp32: tuple[Path, Path]) -> None:
    frames: list[tuple[int, int]] = []
    verdict = gate.evaluate_tracking(
        fp32[1], fp32[1], SCENE, 0.0, starts=3, backend="onnxruntime", on_frame=lambda *seen: frames.append(seen)
    )
    assert verdict.drops == (0, 0, 0)
    assert len(set(verdict.success_auc)) > 1, "another start is another run"
    assert verdict.frames == len(frames) == 12
    alone = gate.evaluate_tracking(fp32[1], fp32[1], SCENE, 0.0, backend="onnxruntime")
    assert alone.success_auc == verdict.success_auc[:1], "the first start is the true box"


def test_the_drop_is_the_mean_over_the_starts() -> None:
    assert VERDICT.drops == (pytest.approx(0.01), 0)
    assert VERDICT.drop == pytest.approx(0.005)
    row = VERDICT.row()
    assert (row["drops"], row["drop"], row["is_passed"]) == ([0.01, 0.0], 0.005, True)
    assert row["success_auc"] == [0.7, 0.69]


def test_a_graph_over_its_budget_is_refused_with_both_figures() -> None:
    gate.check(VERDICT, "mine")
    with pytest.raises(GateFailed) as caught:
        gate.check(replace(VERDICT, success_auc=(0.66, 0.62)), "mine")
    assert str(caught.value) == (
        "mine: int8 loses 0.0600 success AUC on test:// (0.7000 to 0.6400), allowed 0.01\n"
        "hint: nothing was written; calibrate on videos like your own (--calib), or write it anyway: --force"
    )
    assert caught.value.exit_code == 4


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        pytest.param(VERDICT, [], id="faster"),
        pytest.param(
            replace(VERDICT, latency_ratio=(1.0, 1.07, 1.1)),
            ["INT8 has no advantage on openvino (CPU, int8): an inference takes 1.07 times as long as in FP32."],
            id="INT8 that is slower",
        ),
        pytest.param(
            replace(VERDICT, precision="fp16", backend="onnxruntime (CPU)", latency_ratio=(1.1, 1.3, 1.4)),
            ["FP16 takes 1.30 times as long as FP32 on onnxruntime (CPU): FP16 is for GPUs."],
            id="FP16 on a processor",
        ),
    ],
)
def test_a_graph_that_is_not_faster_gets_one_warning(verdict: Verdict, said: list[str]) -> None:
    assert verdict.remarks() == said


def test_int8_with_half_has_the_budget_of_int8() -> None:
    budget = GateBudget()
    assert [budget.of(name) for name in ("fp16", "int8", "int8-fp16")] == [0.002, 0.01, 0.01]


def test_a_negative_budget_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"int8 must be at least 0 and at most 1, got -0\.1"):
        GateBudget(int8=-0.1)


def test_a_gate_without_a_start_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"starts must be at least 1, got 0"):
        GateBudget(starts=0)


def test_crops_cannot_be_tracked(fp32: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    clip = Clip("car", gate.np.ones((2, 4)), lambda: iter(()), is_video=False)
    monkeypatch.setattr(gate, "find_clips", lambda *_: [clip])
    with pytest.raises(InputError) as caught:
        gate.evaluate_tracking(fp32[1], fp32[1], "shards:data/train", 0.01)
    assert str(caught.value) == (
        "shards:train: holds crops of targets, the gate tracks whole videos\n"
        "hint: give videos with true boxes, or leave it out for the bundled scene: --gate-suite test://"
    )
