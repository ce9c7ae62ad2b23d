"""Reads this machine's TensorRT, GPU and board, which an engine is compared with before it is loaded."""

from __future__ import annotations

from eatrack_edge.core.imports import require
from eatrack_edge.inference.tensorrt.driver import Attribute, read_attributes, read_cuda_version, read_name
from eatrack_edge.inference.tensorrt.manifest import Fingerprint
from eatrack_edge.machine.board import read_board


def read_fingerprint() -> Fingerprint:
    """TensorRT, GPU and board of this machine.

    The GPU is asked through the driver's own library, which is there wherever a GPU is and needs no package.

    Raises:
        MissingExtra: TensorRT is not installed.
        MachineError: There is no driver, or no GPU answers.
    """
    tensorrt = require("tensorrt", to="read this machine's fingerprint")
    name, cuda = read_name(), read_cuda_version()
    major, minor = read_attributes(Attribute.MAJOR, Attribute.MINOR)
    board = read_board()
    return Fingerprint(
        tensorrt=tensorrt.__version__,
        cuda=cuda,
        sm=f"{major}.{minor}",
        gpu=name,
        board=board.module_id,
        jetpack=board.jetpack,
    )
