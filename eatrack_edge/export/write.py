"""Writes the files of an export: all of them once they have passed the parity check, or none."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import onnx
import torch

from eatrack_edge.core.io import staged
from eatrack_edge.export import parity
from eatrack_edge.export.graph import write_graphs
from eatrack_edge.export.recipe import Plan
from eatrack_edge.export.weight_storage import share_weights
from eatrack_edge.model.checkpoints import Checkpoint, build, read_checkpoint, write_checkpoint
from eatrack_edge.model.eatrack import EATrack


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export wrote.

    Attributes:
        files: The template graph, the track graph and, where weights are shared, the checkpoint.
        differences: Output name to largest difference from torch.
    """

    files: tuple[Path, ...]
    differences: dict[str, float]


def export(plan: Plan, folder: Path, *, shared: bool = False) -> Exported:
    """Export a checkpoint; the graphs appear in ``folder`` once they agree with torch.

    Args:
        plan: What to export, see ``recipe.plan``.
        folder: Where to; made if needed. Files of an earlier export of the same name are replaced.
        shared: Keep the weights once, as float16, in ``NAME.safetensors`` beside both graphs. The network is
            rounded to float16 first, so parity is measured against what is stored.

    Raises:
        GateFailed: ONNX and torch disagree.
        OutputError: The folder cannot be written.
    """
    with staged(folder) as work:
        exported = _export_into(plan, work, shared)
    return replace(exported, files=tuple(folder / file.name for file in exported.files))


def _export_into(plan: Plan, folder: Path, shared: bool) -> Exported:
    network = build(plan.architecture, plan.checkpoint)
    template_path, track_path = folder / f"{plan.name}.template.onnx", folder / f"{plan.name}.track.onnx"
    weights = folder / f"{plan.name}.safetensors"
    if shared:
        network = build(plan.architecture, _write_weights(plan, network, weights))
    graphs = write_graphs(network, plan.model_spec, opset=plan.opset, fold=not shared)
    for graph, path in zip(graphs, (template_path, track_path), strict=True):
        if shared:
            share_weights(graph, weights)
        onnx.save(graph, path)
    differences = parity.measure(network, plan.model_spec, template_path, track_path)
    parity.check(differences, plan.name)
    return Exported((template_path, track_path, *([weights] if shared else [])), differences)


def _write_weights(plan: Plan, network: EATrack, path: Path) -> Checkpoint:
    write_checkpoint(path, network, plan.model_spec.checkpoint_metadata(), half=True)
    written, source = read_checkpoint(path), plan.checkpoint
    # safetensors orders its header anew each time. What was exported before stays the same file, byte for byte.
    is_same = path.stat().st_size == source.path.stat().st_size and written.metadata == source.metadata
    if is_same and all(torch.equal(tensor, source.tensors[key]) for key, tensor in written.tensors.items()):
        shutil.copyfile(source.path, path)
    return written
