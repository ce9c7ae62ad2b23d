"""Finds the one sentence that explains an error in the several lines that TensorRT logs for it."""

from __future__ import annotations

import re
from collections.abc import Iterable

# "ITensor::getDimensions: Error Code 4: API Usage Error (node_12: the reason. In checkType at /_src/...:455)"
_CODED = re.compile(r"Error Code (\d+): [^(\n]*\((.*?)\.? In \w+ at ", re.DOTALL)
# "Error Code 1: Myelin ([x.h:1: f] MyelinCheckException: y.cpp:59: CHECK(a) failed. The reason.  (See https://...": the
# compiler behind the builder, which has the same code as the CUDA runtime
_COMPILER = re.compile(r"MyelinCheckException: .*?CHECK\(.*\) failed\.? (.+?)\.?(?:\s+\(|\s*$)", re.DOTALL)
_CUDA_RUNTIME = "1"  # on a machine without a driver it follows every other error
# "In node 4 with name: x and operator: Det (checkDet): UNSUPPORTED_NODE: Assertion failed: false : the reason"
_ASSERTION = re.compile(r"Assertion failed: .*? : (.+)|Assertion failed: (.+)", re.DOTALL)


def parse_trt_error(messages: Iterable[str]) -> str:
    """The reason of the first logged error that has one, in one line; ``no reason given`` where none has."""
    texts = list(messages)
    for text in texts:
        if compiler := _COMPILER.search(text):
            return _one_line(compiler.group(1))
        for code, sentence in _CODED.findall(text):
            if code != _CUDA_RUNTIME:
                return _one_line(sentence)
    for text in texts:
        found = _ASSERTION.search(text)
        if found or text.strip():
            return _one_line(next(filter(None, found.groups())) if found else text.strip().splitlines()[0])
    return "no reason given"


def _one_line(text: str) -> str:
    return " ".join(text.split()).rstrip(".")
