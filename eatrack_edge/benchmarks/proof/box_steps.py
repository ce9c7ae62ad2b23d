"""Compares a tracker's boxes on the GPU with those of the same graphs on ONNX Runtime's CPU provider."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from eatrack_edge.benchmarks.proof.plan import Figures, Skipped, Workbench
from eatrack_edge.core.boxes import Box, iou, part_in_frame
from eatrack_edge.core.errors import GateFailed, MachineError
from eatrack_edge.core.frames import frame_size
from eatrack_edge.core.reasons import beside_limit
from eatrack_edge.export.clips import find_clips
from eatrack_edge.inference.backend import Backend
from eatrack_edge.inference.model_files import Graphs
from eatrack_edge.inference.onnxruntime import OnnxRuntimeBackend
from eatrack_edge.inference.tensorrt.backend import TensorRTBackend
from eatrack_edge.tracking.settings import NETWORK_ALONE
from eatrack_edge.tracking.tracker import Tracker

# Least mean overlap of the two runs' boxes, over all clips. Where a clip is hard the runs may part for good, which is
# no fault of a backend; the median would hide it. No GPU has confirmed these yet.
LEAST_OVERLAP = {"fp32": 0.99, "fp16": 0.95, "int8": 0.85, "int8-fp16": 0.85}


def boxes_of_engines(bench: Workbench, *, precision: str, package: str, is_recorded: bool) -> Figures:
    """Track the suite with engines, through one of the packages that speak to CUDA.

    Raises:
        Skipped: There are no such engines.
        MissingExtra: The package is not installed.
        GateFailed: The boxes are others, or no CUDA graph was recorded where one was asked for.
    """
    graphs, made = bench.pair(precision)
    backend = TensorRTBackend(made.template, made.track, memory=package, cuda_graph=is_recorded)
    try:
        if is_recorded and backend.note:
            raise GateFailed(backend.note, hint="see: eatrack-edge doctor")
        return compare_boxes(bench, backend, graphs)
    finally:
        backend.close()


def boxes_of_cuda_provider(bench: Workbench) -> Figures:
    """Track the suite with ONNX Runtime's CUDA provider.

    Raises:
        Skipped: This ONNX Runtime has no CUDA provider that starts.
        GateFailed: The boxes are others.
    """
    graphs, _ = bench.any_pair()
    try:
        backend = OnnxRuntimeBackend(graphs.template, graphs.track, provider="CUDAExecutionProvider")
    except MachineError as error:
        raise Skipped(error.message) from None
    return compare_boxes(bench, backend, graphs)


def compare_boxes(bench: Workbench, backend: Backend, graphs: Graphs) -> Figures:
    """Overlap of a backend's boxes with those of ONNX Runtime on the CPU.

    Raises:
        GateFailed: The mean overlap is below ``LEAST_OVERLAP``.
    """
    reference = OnnxRuntimeBackend(graphs.template, graphs.track, provider="CPUExecutionProvider")
    ours, theirs = zip(*_both(backend, reference, bench.plan.suite), strict=True)
    overlaps = iou(np.array(ours), np.array(theirs))
    mean, precision = float(overlaps.mean()), graphs.model_spec.precision
    least = LEAST_OVERLAP[precision]
    if mean < least:
        raise GateFailed(
            f"{backend.name} and {reference.name} overlap by {beside_limit(mean, least, '.4f')} over "
            f"{len(overlaps)} frames, at least {least} was expected",
            hint="see the parity that `build` measures, and try --precision fp32",
        )
    return {
        "backend": backend.name,
        "frames": len(overlaps),
        "mean_overlap": mean,
        "least_overlap": float(overlaps.min()),
    }


def _both(backend: Backend, reference: Backend, suite: str) -> Iterator[tuple[Box, Box]]:
    """Boxes of two trackers, frame by frame in turn."""
    for clip in find_clips(suite):
        x, y, w, h = (float(value) for value in clip.boxes[0])
        trackers = [Tracker(opened, settings=NETWORK_ALONE) for opened in (backend, reference)]
        for index, frame in enumerate(clip.read()):
            if index:
                yield trackers[0].update(frame).box, trackers[1].update(frame).box
            else:
                for tracker in trackers:
                    tracker.init(frame, part_in_frame((x, y, w, h), *frame_size(frame)))
