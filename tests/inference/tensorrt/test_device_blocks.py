from __future__ import annotations

import numpy as np
import pytest

from eatrack_edge.core.model_spec import TensorSpec
from eatrack_edge.inference.tensorrt.cuda_memory import open_memory
from eatrack_edge.inference.tensorrt.device_blocks import MirroredBlock
from inference import simulated_cuda

SPECS = (TensorSpec("tokens", (1, 3, 7), "float32"), TensorSpec("crop", (5, 5, 3), "uint8"))


def test_every_tensor_lies_where_tensorrt_wants_it_and_one_copy_moves_them_all(monkeypatch: pytest.MonkeyPatch) -> None:
    device = simulated_cuda.install(monkeypatch, "cuda-python")
    memory = open_memory()
    block = MirroredBlock(memory, SPECS)
    assert all(address % 256 == 0 for address in block.addresses)
    assert [(array.shape, array.dtype) for array in block.arrays] == [((1, 3, 7), np.float32), ((5, 5, 3), np.uint8)]
    for array in block.arrays:
        array[:] = np.arange(array.size).reshape(array.shape)
    sent = [array.copy() for array in block.arrays]
    block.copy_in()
    memory.synchronize()
    for array in block.arrays:
        array[:] = 0
    block.copy_out()
    memory.synchronize()
    assert device.calls.count("cudaMemcpyAsync") == 2
    for ours, theirs in zip(block.arrays, sent, strict=True):
        np.testing.assert_array_equal(ours, theirs)
