"""NVIDIA's builder for machines without a GPU, under the name that our code imports.

TensorRT for RTX has TensorRT's parser, compiler and Python calls, and needs neither GPU nor driver, but it must be
told what to build for. Orin's 8.7 is not among its targets; 8.6 is the same generation, Ampere.
A folder of its own, so that a test puts it on the path and a child process finds it there too.
"""

from __future__ import annotations

from typing import Any

import tensorrt_rtx as rtx
from tensorrt_rtx import *  # noqa: F403

__version__ = rtx.__version__


class Builder(rtx.Builder):
    def create_builder_config(self) -> Any:
        config = super().create_builder_config()
        config.num_compute_capabilities = 1
        config.set_compute_capability(rtx.ComputeCapability.SM86, 0)
        return config
