from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import onnx
import pytest

from eatrack_edge.core.errors import GateFailed, OutputError, UsageError
from eatrack_edge.export.precision import Options, PreciseExport, export_precise
from eatrack_edge.export.recipe import Plan
from eatrack_edge.export.tracking_gate import GateBudget
from eatrack_edge.inference.onnxruntime import OnnxRuntimeBackend

pytestmark = pytest.mark.torch
CALIB = "test://?seed=5&frames=6&width=160&height=120"
SUITE = "test://?frames=5&width=160&height=120"
OPTIONS = Options(CALIB, 6, SUITE, backend="onnxruntime")
LENIENT, STRICT = GateBudget(1.0, 1.0, 1), GateBudget(0.0, 0.0, 1)


@pytest.fixture(scope="module")
def steps() -> list[tuple[str, int, int | None]]:
    """What the export reports on its way."""
    return []


@pytest.fixture(scope="module")
def made(
    tiny: Plan, tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, int | None]]
) -> PreciseExport:
    folder = tmp_path_factory.mktemp("made") / "int8-fp16"
    return export_precise(replace(tiny, gate=LENIENT), "int8-fp16", folder, OPTIONS, lambda *step: steps.append(step))


def test_the_long_steps_say_how_much_of_how_much_is_done(
    made: PreciseExport, steps: list[tuple[str, int, int | None]]
) -> None:
    layers = len(json.loads(made.files[2].read_text())["layers"])
    names = [
        "encoding templates",
        "measuring what each layer loses in INT8",
        f"tracking {SUITE} with this precision and fp32",
    ]
    for name, total in zip(names, (6, layers, 4), strict=True):
        assert [(done, of) for step, done, of in steps if step == name] == [(n, total) for n in range(1, total + 1)]


def metadata(path: Path) -> dict[str, str]:
    return {entry.key: entry.value for entry in onnx.load(path).metadata_props}


def test_both_graphs_lie_beside_what_is_known_of_them(made: PreciseExport) -> None:
    names = ["calibration.json", "card.json", "sensitivity.json", "template.onnx", "track.onnx"]
    assert [path.name for path in made.files] == [f"tiny.int8-fp16.{name}" for name in names]
    assert sorted(path.name for path in made.files[0].parent.iterdir()) == [path.name for path in made.files]


def test_the_graphs_track_and_say_their_precision(made: PreciseExport, tiny: Plan) -> None:
    backend = OnnxRuntimeBackend(*made.files[-2:])
    assert backend.model_spec == replace(tiny.model_spec, precision="int8-fp16")
    onnx.checker.check_model(onnx.load(made.files[-1]), full_check=True)


def test_the_calibrations_list_and_hash_are_in_the_graph_and_beside_it(made: PreciseExport) -> None:
    beside = json.loads(made.files[0].read_text())
    inside = metadata(made.files[-1])
    assert beside["source"] == inside["calibration_source"] == CALIB
    assert beside["sha256"] == inside["calibration_sha256"] == made.card["calibration"]["sha256"]
    assert beside["list"] == json.loads(inside["calibration_list"])
    assert len(beside["list"]) == 6


def test_the_card_names_parity_gate_and_the_layers_kept_in_float(made: PreciseExport, tiny: Plan) -> None:
    card = json.loads(made.files[1].read_text())
    model_spec = tiny.model_spec
    assert list(card["parity"]) == [spec.name for spec in (*model_spec.template_outputs(), *model_spec.track_outputs())]
    assert card["gate"]["frames"] == 4
    assert card["gate"]["budget"] == 1.0
    table = json.loads(made.files[2].read_text())["layers"]
    attention = {layer for layer in card["kept_in_float"] if layer.endswith((".scores", ".values"))}
    assert attention
    assert set(card["kept_in_float"]) - attention == {row["layer"] for row in table if row["stays_float"]}
    assert 0.5 < card["box_iou"] < 1


def test_half_precision_needs_no_footage(tiny: Plan, tmp_path: Path) -> None:
    options = replace(OPTIONS, calib="")
    done = export_precise(replace(tiny, gate=LENIENT), "fp16", tmp_path, options)
    assert [path.name for path in done.files] == [
        f"tiny.fp16.{end}" for end in ("card.json", "template.onnx", "track.onnx")
    ]
    assert done.card["parity"]["score_map"]["max"] < 1e-2


def test_int8_without_footage_is_refused(tiny: Plan, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        export_precise(tiny, "int8", tmp_path / "out", replace(OPTIONS, calib=""))
    assert str(caught.value) == (
        "int8 needs clips to calibrate on, none were given\n"
        "hint: give a video with its boxes in NAME.txt, a folder of such, or KIND:PATH: --calib flights/; "
        "for a trial, the bundled synthetic scene: --calib test://"
    )
    assert not (tmp_path / "out").exists()


def test_an_unknown_precision_lists_the_known_ones(tiny: Plan, tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match="no precision called `half`\nhint: known precisions: fp32, fp16, int8, int8-fp16"
    ):
        export_precise(tiny, "half", tmp_path, OPTIONS)
    with pytest.raises(UsageError, match="no precision called `int-8`\nhint: did you mean `int8`"):
        export_precise(tiny, "int-8", tmp_path, OPTIONS)


def test_what_fails_the_gate_is_not_written_unless_forced(
    tiny: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from eatrack_edge.export import tracking_gate as gate

    real = gate.evaluate_tracking
    monkeypatch.setattr(
        gate, "evaluate_tracking", lambda *a, **k: replace(real(*a, **k), success_auc_fp32=(0.9,), success_auc=(0.5,))
    )
    options = replace(OPTIONS, calib=CALIB)
    with pytest.raises(GateFailed, match=r"tiny: fp16 loses 0\.4000 success AUC"):
        export_precise(replace(tiny, gate=STRICT), "fp16", tmp_path, options)
    assert list(tmp_path.iterdir()) == []
    forced = export_precise(replace(tiny, gate=STRICT), "fp16", tmp_path, replace(options, is_forced=True))
    assert forced.card["remarks"][0] == "Written with --force: it loses 0.4000 success AUC, its budget is 0."


def test_a_folder_that_cannot_be_written_is_named(tiny: Plan, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="file/graphs: cannot be written: not a directory"):
        export_precise(tiny, "fp16", tmp_path / "file" / "graphs", replace(OPTIONS, calib=SUITE))


def test_half_graphs_may_share_the_weights_that_float32_graphs_share(tiny: Plan, tmp_path: Path) -> None:
    options = Options(suite=SUITE, backend="onnxruntime", is_shared=True)
    done = export_precise(replace(tiny, gate=LENIENT), "fp16", tmp_path, options)
    names = ["tiny.fp16.card.json", "tiny.fp16.template.onnx", "tiny.fp16.track.onnx", "tiny.safetensors"]
    assert [path.name for path in done.files] == names
    inside = onnx.load(done.files[2], load_external_data=False).graph.initializer
    assert [tensor.name for tensor in inside if not tensor.external_data and len(tensor.raw_data) > 64] == []
    assert OnnxRuntimeBackend(*done.files[1:3]).model_spec == replace(tiny.model_spec, precision="fp16")


def test_int8_cannot_share_half_precision_weights(tiny: Plan, tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=r"shared weights are float16, int8 has its own\nhint: leave --shared-weights out"
    ):
        export_precise(tiny, "int8", tmp_path, replace(OPTIONS, is_shared=True))
