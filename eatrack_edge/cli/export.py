"""``eatrack-edge export``: a checkpoint becomes two ONNX graphs that are proved against it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING, Annotated

import typer

from eatrack_edge.cli.console import Progress
from eatrack_edge.cli.stopping import Stopped, stopping_as_interrupt
from eatrack_edge.core.resources import DEFAULT_MODEL

if TYPE_CHECKING:
    from eatrack_edge.export.precision import Options
    from eatrack_edge.export.recipe import Plan


def export(
    what: Annotated[
        str, typer.Argument(metavar="[MODEL|CHECKPOINT]", help="A model's name, a recipe, or a checkpoint's path.")
    ] = DEFAULT_MODEL,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the graphs.")] = Path(),
    model: Annotated[str | None, typer.Option(help="Network of a checkpoint without metadata.")] = None,
    name: Annotated[str | None, typer.Option(help="Stem of the files; the checkpoint's by default.")] = None,
    template_slots: Annotated[int | None, typer.Option(min=1, max=2, help="Templates seen by Stage 2.")] = None,
    opset: Annotated[int | None, typer.Option(help="ONNX opset; 17 unless the recipe says otherwise.")] = None,
    shared_weights: Annotated[
        bool,
        typer.Option("--shared-weights", help="Keep all weights in one float16 file, like the bundled models."),
    ] = False,
    joint: Annotated[
        bool, typer.Option("--joint", help="Encode the templates in every frame: a slower graph to compare with.")
    ] = False,
    verifier: Annotated[
        Path | None, typer.Option(help="What `fit-verifier` wrote, in place of the checkpoint's.")
    ] = None,
    precision: Annotated[str, typer.Option(help="fp32, fp16, int8, or int8-fp16, the rest in FP16.")] = "fp32",
    calib: Annotated[
        str,
        typer.Option(metavar="VIDEO|DIR|KIND:PATH", help="INT8: videos with true boxes to calibrate on; or test://."),
    ] = "",
    calib_pairs: Annotated[int, typer.Option(min=1, help="INT8: pairs of crops to calibrate on.")] = 256,
    gate_suite: Annotated[
        str,
        typer.Option(metavar="VIDEO|DIR|KIND:PATH", help="Clips of the tracking gate for other precisions."),
    ] = "test://",
    backend: Annotated[str, typer.Option(help="Of the gate: auto, tensorrt, openvino or onnxruntime.")] = "auto",
    force: Annotated[bool, typer.Option("--force", help="Write graphs even if they fail the gate.")] = False,
) -> None:
    """Export a checkpoint to two ONNX graphs, and check them.

    NAME.template.onnx and NAME.track.onnx are written only if ONNX Runtime and torch agree on every output. In
    another precision they are NAME.PRECISION.template.onnx and NAME.PRECISION.track.onnx, with a card beside them, and
    written only if they track a suite of videos as well as fp32 does, within the recipe's budget.
    """
    from eatrack_edge.core.imports import require

    for module in ("torch", "onnx", "onnxscript", "onnxruntime"):
        require(module, to="export a checkpoint")
    from eatrack_edge.export import recipe, write
    from eatrack_edge.export.precision import Options

    plan = recipe.plan(what, model=model, name=name, slots=template_slots, opset=opset, joint=joint, verifier=verifier)
    model_spec = plan.model_spec
    print(
        f"{plan.checkpoint.path}: {model_spec.model}, {model_spec.template_slots} template slot(s), opset {plan.opset}"
    )
    for note in plan.checkpoint.notes:
        print(f"  {note}")
    if precision != "fp32":
        options = Options(calib, calib_pairs, gate_suite, backend, force, shared_weights)
        with _nothing_written_when_stopped(output):
            _export_precise(plan, precision, output, options)
        return
    with _nothing_written_when_stopped(output):
        done = write.export(plan, output, shared=shared_weights)
    for tensor, difference in done.differences.items():
        print(f"  {tensor:<22} max difference to torch {difference:.1e}")
    for file in done.files:
        print(f"  {file}  {file.stat().st_size / 1e6:.2f} MB")


@contextmanager
def _nothing_written_when_stopped(output: Path) -> Iterator[None]:
    """Ctrl-C and SIGTERM leave neither files nor folders behind."""
    with stopping_as_interrupt():
        try:
            yield
        except KeyboardInterrupt:
            raise Stopped(f"nothing was written to {output}; the same command begins anew") from None


def _export_precise(plan: Plan, precision: str, output: Path, options: Options) -> None:
    from eatrack_edge.export.precision import export_precise

    with Progress("steps") as progress:
        done = export_precise(plan, precision, output, options, on_progress=progress.show)
    for tensor, error in done.card["parity"].items():
        print(f"  {tensor:<22} max difference to fp32 {error['max']:.1e}, relative {error['relative_rms']:.1e}")
    print(f"  mean IoU with fp32's boxes on these crops {done.card['box_iou']:.4f}")
    verdict = done.verdict
    drops = verdict.drops
    print(
        f"  success AUC {mean(verdict.success_auc):.4f}, fp32 {mean(verdict.success_auc_fp32):.4f}: "
        f"drop {verdict.drop_text}, allowed {verdict.budget:g}; "
        f"{verdict.clips} clips, {verdict.frames} frames, {verdict.backend}"
    )
    if len(drops) > 1:
        print(f"  the drop is the mean over {len(drops)} initial boxes, from {min(drops):.4f} to {max(drops):.4f}")
    lower, ratio, upper = verdict.latency_ratio
    print(f"  median IoU with fp32's boxes {verdict.median_box_iou:.3f}")
    print(f"  inference takes {ratio:.2f} times as long as fp32's (quartiles {lower:.2f} to {upper:.2f})")
    for remark in done.card["remarks"]:
        print(f"  {remark}")
    for file in done.files:
        print(f"  {file}  {file.stat().st_size / 1e6:.2f} MB")
