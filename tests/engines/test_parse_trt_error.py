from __future__ import annotations

import pytest

from eatrack_edge.engines.parse_trt_error import parse_trt_error

# As TensorRT for RTX 1.7.1 logged them.
UINT8 = (
    "Invalid Node - node_permute\nITensor::getDimensions: Error Code 4: API Usage Error (node_permute: first input has "
    "type UInt8 but must have type Float. In checkType at /_src/optimizer/common/nodeBase.cpp:455)"
)
CUDA = "[x::250] Error Code 1: Cuda Runtime (In catchCudaError at /_src/common/dispatch/checkMacros.cpp:250 (cudaError 35))"

COMPILER = (
    "IBuilder::buildSerializedNetwork: Error Code 1: Myelin ([myelin_graph.h:1295: attachExceptionMsgToGraph] "
    "MyelinCheckException: decompose_composite_ops.cpp:59: CHECK(composite_op->is_decomposable()) failed. Attention "
    "operation was not supported by a dedicated kernel.  (See https://docs.nvidia.com/x.html#y for shapes and datatypes "
    "with dedicated kernels.)  Alternatively, padded attention operation may be marked as decomposable"
)


@pytest.mark.parametrize(
    ("faults", "expected"),
    [
        pytest.param([UINT8], "node_permute: first input has type UInt8 but must have type Float", id="coded"),
        pytest.param(
            [CUDA, UINT8], "node_permute: first input has type UInt8 but must have type Float", id="CUDA first"
        ),
        pytest.param(
            [CUDA, COMPILER], "Attention operation was not supported by a dedicated kernel", id="the compiler's"
        ),
        pytest.param(["In node 0: Assertion failed: (a == b) : K must match"], "K must match", id="assertion"),
        pytest.param(["", "Plugin not found\nmore"], "Plugin not found", id="plain"),
        pytest.param([], "no reason given", id="none"),
    ],
)
def test_one_sentence_is_found(faults: list[str], expected: str) -> None:
    assert parse_trt_error(faults) == expected
