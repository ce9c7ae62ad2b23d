"""``eatrack-edge export``: a checkpoint becomes two ONNX graphs that are proved against it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from eatrack_edge.material import DEFAULT_MODEL


def export(
    what: Annotated[
        str, typer.Argument(metavar="[MODEL|CHECKPOINT]", help="A model's name, a recipe, or a checkpoint's path.")
    ] = DEFAULT_MODEL,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the graphs.")] = Path(),
    model: Annotated[str | None, typer.Option(help="Which network a checkpoint is, if it does not say.")] = None,
    name: Annotated[str | None, typer.Option(help="Stem of the files; the checkpoint's by default.")] = None,
    template_slots: Annotated[int | None, typer.Option(min=1, max=2, help="Templates seen by Stage 2.")] = None,
    opset: Annotated[int | None, typer.Option(help="ONNX opset; 17 unless the recipe says otherwise.")] = None,
    shared_weights: Annotated[
        bool, typer.Option("--shared-weights", help="One float16 weights file beside both graphs, as we ship them.")
    ] = False,
) -> None:
    """Turn a checkpoint into two proved graphs.

    NAME.template.onnx and NAME.track.onnx are written only after ONNX Runtime agreed with torch on every output.
    """
    from eatrack_edge.optional import require

    for module in ("torch", "onnx", "onnxscript", "onnxruntime"):
        require(module, to="export a checkpoint")
    from eatrack_edge.export import recipe, write

    plan = recipe.plan(what, model=model, name=name, slots=template_slots, opset=opset)
    contract = plan.contract
    print(f"{plan.checkpoint.path}: {contract.model}, {contract.template_slots} template slot(s), opset {plan.opset}")
    done = write.export(plan, output, shared=shared_weights)
    for tensor, difference in done.differences.items():
        print(f"  {tensor:<16} max difference to torch {difference:.1e}")
    for file in done.files:
        print(f"  {file}  {file.stat().st_size / 1e6:.2f} MB")
