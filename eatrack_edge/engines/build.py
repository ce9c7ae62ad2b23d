"""Builds one engine in this process, by the calls that TensorRT 10.3 to 11 have in common.

The network is strongly typed: the graph itself is in FP16 or INT8, so there are no precision flags and no calibrators.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eatrack_edge.core.errors import InputError, MachineError
from eatrack_edge.core.imports import require
from eatrack_edge.engines import timing_cache
from eatrack_edge.engines.build_progress import Report, monitor
from eatrack_edge.engines.parse_trt_error import parse_trt_error
from eatrack_edge.engines.parsed_network import read_network
from eatrack_edge.engines.precision_audit import Audit, audit, check
from eatrack_edge.inference.onnx_metadata import read_model_spec
from eatrack_edge.inference.tensorrt.error_log import logger

_OUT_OF_MEMORY = ("OutOfMemory", "out of memory", "Error Code 2")


@dataclass(frozen=True, slots=True)
class Job:
    """One engine to build."""

    graph: Path  # the ONNX file
    workspace_bytes: int  # most that a kernel under trial may use
    timing_cache: Path | None = None  # kept between builds; None: measured anew
    uses_dla: bool = False  # put what can run there on the deep learning accelerator


@dataclass(frozen=True, slots=True)
class Built:
    """An engine, still in memory."""

    engine: bytes
    audit: Audit
    seconds: float


def build(job: Job, report: Report) -> Built:
    """Build an engine for this machine.

    Args:
        job: What to build.
        report: Called at each step, from TensorRT's threads.

    Raises:
        InputError: TensorRT cannot read the graph or has no kernel for it, or it breaks its model specification.
        GateFailed: The graph's types are not those of its precision.
        MachineError: TensorRT finds no GPU, too little memory, or no accelerator where one is asked for.
        MissingExtra: TensorRT is not installed.
        OutputError: The timing cache cannot be written.
    """
    trt = require("tensorrt", to="build an engine")
    start = time.monotonic()
    builder = _builder(trt)
    parsed = read_network(builder, job.graph)
    found = audit(parsed.network)
    check(found, read_model_spec(job.graph).precision, job.graph)
    config = _config(trt, builder, job)
    config.progress_monitor = progress = monitor(report)  # TensorRT keeps no reference of its own
    engine = builder.build_serialized_network(parsed.network, config)
    del progress
    if engine is None:
        raise _failed(job.graph)
    if job.timing_cache is not None:
        timing_cache.save(config, job.timing_cache)
    return Built(bytes(engine), found, time.monotonic() - start)


def _builder(trt: Any) -> Any:
    try:
        return trt.Builder(logger())
    except TypeError:  # raised where TensorRT's factory returns nothing
        raise MachineError(
            f"TensorRT {trt.__version__} cannot build here: {parse_trt_error(logger().errors)}",
            hint="engines are built on the machine that runs them, which needs its GPU and driver",
        ) from None


def _config(trt: Any, builder: Any, job: Job) -> Any:
    config = builder.create_builder_config()
    config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, job.workspace_bytes)
    config.clear_flag(trt.BuilderFlag.TF32)  # fp32 means float32, not ten bits of mantissa
    if job.timing_cache is not None:
        timing_cache.attach(config, job.timing_cache)
    if job.uses_dla:
        # Some TensorRT have no word for it at all: NVIDIA's for RTX cards, and those of boards without one.
        if not getattr(builder, "num_DLA_cores", 0) or not hasattr(trt, "DeviceType"):
            raise MachineError(
                "there is no deep learning accelerator for TensorRT here", hint="build for the GPU: leave out --dla"
            )
        config.default_device_type = trt.DeviceType.DLA
        config.DLA_core = 0
        config.set_flag(trt.BuilderFlag.GPU_FALLBACK)
    return config


def _failed(graph: Path) -> InputError | MachineError:
    errors = logger().errors
    if any(sign in text for text in errors for sign in _OUT_OF_MEMORY):
        return MachineError(
            f"{graph}: TensorRT ran out of memory: {parse_trt_error(errors)}",
            hint="close the desktop: sudo systemctl isolate multi-user.target; or add swap",
        )
    return InputError(
        f"{graph}: TensorRT cannot build it: {parse_trt_error(errors)}",
        hint="export it again with this version, whose graphs are built in its tests: eatrack-edge export",
    )
