"""Proves a pair of engines against the graphs they were built from, on crops of a moving scene.

TensorRT 10.3 is known to turn some vision transformers wrong in FP16 (github.com/NVIDIA/TensorRT, issue 4723), and
says nothing. So what was built is run, on the machine that built it, before anyone flies with it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import NamedTuple

from eatrack_edge.core.errors import GateFailed
from eatrack_edge.core.reasons import beside_limit
from eatrack_edge.inference.backend import Backend
from eatrack_edge.inference.parity import Answer, ScenePair, largest_differences, scene_crops

# Largest difference to ONNX Runtime on the same graph; of search tokens relative to the largest one.
# The first two are the house's tolerances. INT8 rounds at other places in each runtime; how far it may stray in the
# end is judged by tracking, when the graph is exported. No board has confirmed these yet.
ALLOWED = {"fp32": 1e-3, "fp16": 1e-2, "int8": 5e-2, "int8-fp16": 5e-2}
_WARM_UP, _RUNS = 10, 50


class Latency(NamedTuple):
    """Median time of one call, ms."""

    template: float
    track: float


def measure(engines: Backend, reference: Backend) -> dict[str, float]:
    """Largest difference between two backends per map, see ``largest_differences``, over crops of the synthetic scene.

    The template engine is judged by what the track engine makes of its tokens.

    Args:
        engines: What was built.
        reference: The same graphs on ONNX Runtime.
    """

    def answer(backend: Backend, pair: ScenePair) -> Answer:
        backend.encode_template(pair.template, pair.extent, range(backend.model_spec.template_slots))
        return backend.infer(pair.search)._asdict()

    crops = scene_crops(engines.model_spec)
    return largest_differences((answer(engines, pair), answer(reference, pair)) for pair in crops)


def check(differences: dict[str, float], precision: str, name: str) -> None:
    """Refuse engines that disagree with their graphs.

    Raises:
        GateFailed: A map differs by more than ``ALLOWED``, or is not a number.
    """
    allowed = ALLOWED[precision]
    for output, difference in differences.items():
        if not difference <= allowed:
            raise GateFailed(
                f"{name}: the engine and ONNX Runtime disagree on `{output}`: "
                f"max difference {beside_limit(difference, allowed, '.1e')}, allowed {allowed:.0e}",
                hint="nothing was written; this TensorRT computes the graph wrongly: build --precision fp32, "
                "or with a newer JetPack",
            )


def time_calls(engines: Backend) -> Latency:
    """Time both engines through the backend, copies included, as a tracker calls them."""
    pair = next(scene_crops(engines.model_spec))
    encode = _median_ms(lambda: engines.encode_template(pair.template, pair.extent, [0]))
    return Latency(encode, _median_ms(lambda: engines.infer(pair.search)))


def _median_ms(call: Callable[[], object]) -> float:
    times = []
    for _ in range(_WARM_UP + _RUNS):
        start = time.perf_counter()
        call()
        times.append(1e3 * (time.perf_counter() - start))
    return median(times[_WARM_UP:])
