"""Compares a pair of graphs with their torch network, on crops of a moving scene."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from eatrack_edge.core.errors import GateFailed
from eatrack_edge.core.imports import require
from eatrack_edge.core.model_spec import ModelSpec
from eatrack_edge.core.reasons import beside_limit
from eatrack_edge.export.graph import TemplateGraph, TrackGraph
from eatrack_edge.export.graph_inputs import template_feed
from eatrack_edge.inference.parity import Answer, largest_differences, scene_crops
from eatrack_edge.model.eatrack import EATrack

ALLOWED = 1e-4  # float32 against float32; two runtimes differ by about 1e-5 in the order of their sums


def measure(network: EATrack, model_spec: ModelSpec, template_graph: Path, track_graph: Path) -> dict[str, float]:
    """Largest difference between torch and ONNX Runtime per output, over a few crops of the synthetic scene.

    Maps and search tokens are compared with the plain network, which encodes everything in each frame, so that the
    savings of the inference graph are checked too.

    Args:
        network: In evaluation mode.
        model_spec: Of the graphs.
        template_graph: The ONNX file.
        track_graph: The ONNX file.

    Returns:
        See ``largest_differences``.
    """
    return largest_differences(_answers(network, model_spec, template_graph, track_graph))


def _answers(
    network: EATrack, model_spec: ModelSpec, template_graph: Path, track_graph: Path
) -> Iterator[tuple[Answer, Answer]]:
    runtime = require("onnxruntime", to="check an export")
    encode = runtime.InferenceSession(template_graph, providers=["CPUExecutionProvider"])
    track = runtime.InferenceSession(track_graph, providers=["CPUExecutionProvider"])
    encoder = TemplateGraph(network, model_spec).eval()
    plain = TrackGraph(network, replace(model_spec, template_form="crop")).eval()
    outputs = [spec.name for spec in (*model_spec.template_outputs(), *model_spec.track_outputs())]
    for template, extent, search in scene_crops(model_spec):
        feeds = [template_feed(model_spec, template, extent, slot) for slot in range(model_spec.template_slots)]
        encoded = [encode.run(None, feed) for feed in feeds]
        feed: dict[str, Any] = {"search": search}
        for slot, values in enumerate(encoded):
            feed |= {spec.name: value for spec, value in zip(model_spec.slot_inputs(slot), values, strict=True)}
        inputs = [torch.from_numpy(value) for value in feeds[-1].values()]  # of the last slot
        with torch.no_grad():
            held = inputs[:2] * model_spec.template_slots
            expected = [*encoder(*inputs), *plain(torch.from_numpy(search), *held)]
        got = [*encoded[-1], *track.run(None, feed)]
        theirs = [value.numpy() for value in expected]
        yield dict(zip(outputs, got, strict=True)), dict(zip(outputs, theirs, strict=True))


def check(differences: dict[str, float], name: str) -> None:
    """Refuse graphs that disagree with their network.

    Raises:
        GateFailed: An output differs by more than ``ALLOWED``, or is not a number.
    """
    for output, difference in differences.items():
        if not difference <= ALLOWED:
            raise GateFailed(
                f"{name}: ONNX and torch disagree on `{output}`: "
                f"max difference {beside_limit(difference, ALLOWED, '.1e')}, allowed {ALLOWED:.0e}",
                hint="nothing was written; try another opset, and report it with the checkpoint's sha256",
            )
