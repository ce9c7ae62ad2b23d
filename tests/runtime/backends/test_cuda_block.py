from __future__ import annotations

import numpy as np
import pytest

from eatrack_edge.contract import TensorSpec
from eatrack_edge.runtime.backends.cuda_block import DeviceBlock, MirroredBlock
from eatrack_edge.runtime.backends.cuda_memory import open_memory
from runtime import simulated_cuda

SPECS = (TensorSpec("tokens", (1, 3, 7), "float32"), TensorSpec("crop", (5, 5, 3), "uint8"))


def test_every_tensor_lies_where_tensorrt_wants_it_and_one_copy_moves_them_all(monkeypatch: pytest.MonkeyPatch) -> None:
    device = simulated_cuda.install(monkeypatch, "cuda-python")
    memory = open_memory()
    there, kept, back = MirroredBlock(memory, SPECS), DeviceBlock(memory, SPECS), MirroredBlock(memory, SPECS)
    assert all(address % 256 == 0 for block in (there, kept) for address in block.addresses)
    assert [(array.shape, array.dtype) for array in there.arrays] == [((1, 3, 7), np.float32), ((5, 5, 3), np.uint8)]
    for array in there.arrays:
        array[:] = np.arange(array.size).reshape(array.shape)
    there.copy_in()
    kept.copy_from(there)
    back.copy_from(kept)
    back.copy_out()
    memory.synchronize()
    assert device.calls.count("cudaMemcpyAsync") == 4
    for ours, theirs in zip(back.arrays, there.arrays, strict=True):
        np.testing.assert_array_equal(ours, theirs)
