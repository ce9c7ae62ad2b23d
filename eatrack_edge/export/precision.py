"""Exports a network's graphs in FP16 or INT8, compares them with float32, and runs the tracking gate."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import onnx

from eatrack_edge.core.errors import GateFailed, UsageError, did_you_mean
from eatrack_edge.core.io import staged
from eatrack_edge.core.model_spec import PRECISIONS, ModelSpec, stem_of
from eatrack_edge.export import int8, sensitivity, smoothing
from eatrack_edge.export import tracking_gate as gate
from eatrack_edge.export.calibration_crops import PAIRS, Calibration, Pair, read_calibration
from eatrack_edge.export.fp16 import to_half
from eatrack_edge.export.graph_inputs import track_feeds
from eatrack_edge.export.recipe import Plan
from eatrack_edge.export.tracking_gate import Verdict
from eatrack_edge.export.weight_storage import own_weights, share_weights
from eatrack_edge.export.write import export
from eatrack_edge.machine.conditions import run_conditions

_HALF_SCALES = 19  # the first opset in which a Q/DQ pair may have float16 on its float side
_PARITY_SCENE = "test://?seed=107&frames=20&width=320&height=240"  # crops to compare outputs on, without calibration

OnProgress = Callable[[str, int, int | None], None]  # what is being done, how much of it, of how much; or unknown
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class PreciseExport:
    """Files and figures of an export in another precision.

    Attributes:
        files: Both graphs, the card, and for INT8 the calibration's list and the sensitivity table.
        card: Figures for the model's card.
        verdict: Result of the tracking gate.
    """

    files: tuple[Path, ...]
    card: dict[str, Any]
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Options:
    """Options of an export in another precision.

    Attributes:
        calib: Clips to calibrate INT8 on, see ``clips.find_clips``; needed for INT8.
        pairs: Pairs of crops to calibrate on.
        suite: Clips for the tracking gate.
        backend: Backend of the tracking gate.
        is_forced: Write the graphs even if they fail the gate.
        is_shared: FP16 only: keep the weights in one file beside the graphs, the one that float32 graphs share too.
    """

    calib: str = ""
    pairs: int = PAIRS
    suite: str = "test://"
    backend: str = "auto"
    is_forced: bool = False
    is_shared: bool = False


def export_precise(
    plan: Plan, precision: str, folder: Path, options: Options, on_progress: OnProgress = lambda _step, _done, _of: None
) -> PreciseExport:
    """Export a checkpoint in a precision other than float32; what fails the gate is not written.

    The template graph runs once in many frames, so it stays float32 with INT8, and float16 with INT8-FP16.

    Args:
        plan: What to export, see ``recipe.plan``.
        precision: One of ``model_spec.PRECISIONS`` but ``fp32``.
        folder: Where to; made if needed.
        options: See there.
        on_progress: Called as each step begins and proceeds.

    Raises:
        UsageError: No such precision, or INT8 without clips to calibrate on.
        InputError: There are no such clips.
        GateFailed: The graphs lose too much success AUC, or an output is not finite.
        OutputError: The folder cannot be written.
    """
    _check(precision, options)
    if precision == "int8-fp16":
        plan = replace(plan, opset=max(plan.opset, _HALF_SCALES))
    model_spec = replace(plan.model_spec, precision=precision)
    is_int8 = precision.startswith("int8")
    on_progress("cutting crops", 0, None)
    calib = options.calib if is_int8 else options.calib or _PARITY_SCENE
    calibration = read_calibration(calib, model_spec, options.pairs if is_int8 else 0)
    with staged(folder) as work:
        on_progress("exporting in fp32", 0, None)
        template, track, *weights = export(plan, work, shared=options.is_shared).files
        name = stem_of(plan.name, precision)
        paths = work / f"{name}.template.onnx", work / f"{name}.track.onnx"
        card: dict[str, Any] = {"model": plan.model_spec.model, "precision": precision, "opset": plan.opset}
        card |= _convert((template, track), weights, paths, model_spec, calibration, on_progress)
        on_progress("comparing outputs", 0, None)
        card["parity"], card["box_iou"] = _parity((template, track), paths, model_spec, calibration.held_out)
        tracking = f"tracking {options.suite} with this precision and fp32"
        verdict = gate.evaluate_tracking(
            track,
            paths[1],
            options.suite,
            plan.gate.of(precision),
            starts=plan.gate.starts,
            backend=options.backend,
            on_frame=lambda done, of: on_progress(tracking, done, of),
        )
        if not options.is_forced:
            gate.check(verdict, plan.name)
        card |= {"gate": verdict.row(), "remarks": _remarks(verdict), "conditions": run_conditions()}
        (work / f"{name}.card.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
        for path in (template, track):
            path.unlink()
        files = tuple(sorted(path for path in work.iterdir() if path.is_file()))
    return PreciseExport(tuple(folder / path.name for path in files), card, verdict)


def _convert(
    fp32: tuple[Path, Path],
    weights: list[Path],
    paths: tuple[Path, Path],
    model_spec: ModelSpec,
    calibration: Calibration,
    on_progress: OnProgress,
) -> dict[str, Any]:
    """Write both graphs in the precision of ``model_spec``; return what the card records of it."""
    graphs = [onnx.load(path) for path in fp32]
    card: dict[str, Any] = {}
    notes: dict[str, str] = {}
    if model_spec.precision.startswith("int8"):
        graphs[1], table, card["kept_in_float"] = _quantised(fp32, model_spec, calibration, on_progress)
        record = calibration.record()
        notes = _write_notes(paths[1].with_name(paths[1].name.removesuffix(".track.onnx")), record, table)
        card["calibration"] = {key: value for key, value in record.items() if key != "list"}
    if "fp16" in model_spec.precision:
        graphs = [_halved(graph, weights) for graph in graphs]
    for graph, path in zip(graphs, paths, strict=True):
        onnx.helper.set_model_props(graph, model_spec.to_metadata() | notes)
        onnx.save(graph, path)
    return card


def _check(precision: str, options: Options) -> None:
    if precision not in PRECISIONS[1:]:
        raise UsageError(
            f"no precision called `{precision}`", hint=did_you_mean(precision, PRECISIONS, "known precisions: {}")
        )
    if options.is_shared and precision != "fp16":
        raise UsageError(f"shared weights are float16, {precision} has its own", hint="leave --shared-weights out")
    if precision.startswith("int8") and not options.calib:
        raise UsageError(
            f"{precision} needs clips to calibrate on, none were given",
            hint="give a video with its boxes in NAME.txt, a folder of such, or KIND:PATH: --calib flights/; "
            "for a trial, the bundled synthetic scene: --calib test://",
        )


def _halved(graph: onnx.ModelProto, weights: list[Path]) -> onnx.ModelProto:
    """Half precision, with the weights in the file that the float32 graph shares, if it does."""
    own_weights(graph)
    half = to_half(graph)
    for file in weights:
        share_weights(half, file)
    return half


def _quantised(
    fp32: tuple[Path, Path], model_spec: ModelSpec, calibration: Calibration, on_progress: OnProgress
) -> tuple[onnx.ModelProto, list[sensitivity.Sensitivity], list[str]]:
    """Smooth, quantise, measure each layer, and leave sensitive layers in float, whose names come last."""
    template, track = fp32
    pairs = calibration.pairs
    feeds = list(_counted(track_feeds(pairs, model_spec, template), len(pairs), "encoding templates", on_progress))
    on_progress(f"measuring ranges on {len(pairs)} pairs of {calibration.source}", 0, None)
    graph = smoothing.smooth(onnx.load(track), feeds)
    smoothed, written = track.with_name("smoothed.onnx"), track.with_name("quantised.onnx")
    onnx.save(graph, smoothed)
    quantised = int8.quantise(smoothed, feeds, written)
    for path in (smoothed, written):
        path.unlink()
    feeds = list(track_feeds(calibration.held_out[: sensitivity.CROPS], model_spec, template))
    step = "measuring what each layer loses in INT8"
    table = sensitivity.measure(graph, quantised, model_spec, feeds, lambda done, of: on_progress(step, done, of))
    mixed = int8.restore(quantised, graph, [node for node, row in table.items() if row.stays_float])
    inside = int8.int8_nodes(mixed)
    return mixed, list(table.values()), [layer for node, layer in int8.layer_names(graph).items() if node not in inside]


def _counted(items: Iterable[Item], total: int, step: str, on_progress: OnProgress) -> Iterator[Item]:
    """The items, each reported as it is done."""
    for done, item in enumerate(items, start=1):
        yield item
        on_progress(step, done, total)


def _write_notes(stem: Path, record: dict[str, Any], table: Sequence[sensitivity.Sensitivity]) -> dict[str, str]:
    """Write the calibration's list and the sensitivity table; return the entries for the graphs' metadata."""
    rows = {
        "largest_box_error": sensitivity.LARGEST_BOX_ERROR,
        "largest_score_error": sensitivity.LARGEST_SCORE_ERROR,
        "crops": sensitivity.CROPS,
        "layers": [row.row() for row in table],
    }
    for kind, content in (("calibration", record), ("sensitivity", rows)):
        path = stem.with_name(f"{stem.name}.{kind}.json")
        path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return {
        f"calibration_{key}": value if isinstance(value, str) else json.dumps(value) for key, value in record.items()
    }


def _parity(
    fp32: tuple[Path, Path], tested: tuple[Path, Path], model_spec: ModelSpec, pairs: Sequence[Pair]
) -> tuple[dict[str, dict[str, float]], float]:
    """Per output, the largest difference from float32 and the root of the mean square over float32's own.

    The second is the mean overlap of the boxes read at float32's best score-map location, [0, 1].

    Raises:
        GateFailed: An output is not finite.
    """
    feeds = [list(track_feeds(pairs, model_spec, template)) for template, _ in (fp32, tested)]
    outputs = [
        sensitivity.run(onnx.load(track), model_spec, feed)
        for (_, track), feed in zip((fp32, tested), feeds, strict=True)
    ]
    slot = dict(zip(model_spec.slot_inputs(0), model_spec.template_outputs(), strict=True))
    table: dict[str, dict[str, float]] = {}
    for name, key, kind in [
        *((made.name, taken.name, feeds) for taken, made in slot.items()),
        *((spec.name, spec.name, outputs) for spec in model_spec.track_outputs()),
    ]:
        theirs, ours = (np.stack([each[key] for each in values]) for values in kind)
        if not np.isfinite(ours).all():
            raise GateFailed(f"{model_spec.precision}: `{name}` is not finite", hint="nothing was written")
        error = float(np.sqrt(np.mean((ours - theirs) ** 2) / np.mean(theirs**2)))
        table[name] = {"max": float(f"{np.abs(ours - theirs).max():.3g}"), "relative_rms": float(f"{error:.3g}")}
    box_error, _ = sensitivity.errors(outputs[1], outputs[0])
    return table, round(1 - box_error, 5)


def _remarks(verdict: Verdict) -> list[str]:
    if verdict.is_passed:
        return verdict.remarks()
    over = f"Written with --force: it loses {verdict.drop_text} success AUC, its budget is {verdict.budget:g}."
    return [over, *verdict.remarks()]
