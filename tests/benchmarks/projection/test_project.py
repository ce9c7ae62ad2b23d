from __future__ import annotations

import json

import pytest

from eatrack_edge.benchmarks.projection.graph_cost import LayerCost
from eatrack_edge.benchmarks.projection.project import LABEL, project, projection_figures, projection_table
from eatrack_edge.benchmarks.projection.roofline import Assumption, Rules, Target, estimate
from eatrack_edge.core.errors import UsageError
from eatrack_edge.core.resources import bundled
from eatrack_edge.machine.devices import device_named, devices_of

TARGET = Target("board", "mode", fp16_tflops=10.0, int8_tops=20.0, bandwidth_gb_s=100.0)
FULL = Rules(*(Assumption(value, "", "for the test") for value in (1.0, 1.0, 0.0)))


@pytest.fixture
def graph() -> object:
    pytest.importorskip("onnx", reason="the graph is read with onnx")
    return bundled("eatrack_s.track.onnx")


@pytest.mark.parametrize(
    ("precision", "kind", "milliseconds"),
    [
        pytest.param("fp32", "matmul", 2.0, id="fp32 at half the fp16 rate"),
        pytest.param("fp16", "matmul", 1.0, id="fp16"),
        pytest.param("int8-fp16", "matmul", 0.5, id="int8 matmuls"),
        pytest.param("int8-fp16", "attention", 1.0, id="attention stays in fp16"),
        pytest.param("int8", "attention", 2.0, id="attention stays in fp32"),
    ],
)
def test_arithmetic_takes_as_long_as_its_precisions_rate(precision: str, kind: str, milliseconds: float) -> None:
    layer = LayerCost("one", kind, flops=10**10, weights=0, activations=0)
    assert estimate([layer], precision, TARGET, FULL).ms == pytest.approx(milliseconds)


@pytest.mark.parametrize(
    ("precision", "milliseconds"), [("fp32", 8.0), ("fp16", 4.0), ("int8", 5.0), ("int8-fp16", 3.0)]
)
def test_a_memory_bound_layer_takes_as_long_as_its_bytes(precision: str, milliseconds: float) -> None:
    layer = LayerCost("one", "matmul", flops=1, weights=10**8, activations=10**8)
    found = estimate([layer], precision, TARGET, FULL)
    assert found.ms == pytest.approx(milliseconds)
    assert not found.layers[0].is_compute_bound


def test_efficiencies_and_launches_add_to_the_floor() -> None:
    rules = Rules(*(Assumption(value, "", "for the test") for value in (0.5, 0.25, 100.0)))
    layers = [LayerCost("a", "matmul", 10**10, 0, 0), LayerCost("b", "other", 0, 0, 50 * 10**6)]
    found = estimate(layers, "fp16", TARGET, rules)
    assert (found.floor_ms, found.launch_ms) == (pytest.approx(1 + 1), pytest.approx(0.2))
    assert found.ms == pytest.approx(2 + 4 + 0.2)


def test_an_unknown_precision_is_refused() -> None:
    with pytest.raises(UsageError, match="no precision called `fp8`") as caught:
        estimate([], "fp8", TARGET, FULL)
    assert caught.value.hint == "known precisions: fp32, fp16, int8, int8-fp16"


def test_every_power_mode_of_every_module_is_projected(graph) -> None:
    found = project(graph, "fp16", devices_of("orin"))
    assert len(found) == sum(len(device.modes) for device in devices_of("orin"))
    assert all(0 < one.estimate.floor_ms < one.estimate.ms < one.slow_ms for one in found)
    assert all(0 < one.compute_bound < len(one.estimate.layers) for one in found)


def test_a_higher_clock_is_never_slower(graph) -> None:
    by_mode = {one.target.mode: one.estimate.ms for one in project(graph, "fp16", [device_named("orin_nano_8gb")])}
    assert by_mode["7W"] > by_mode["15W"] > by_mode["MAXN_SUPER"]


def test_a_projection_is_labelled_marked_and_comes_with_its_check(graph) -> None:
    figures = json.loads(json.dumps(projection_figures(graph, "int8-fp16", devices_of("orin-nx"))))
    assert figures["label"] == LABEL == "projection, not a measurement"
    assert all(row["label"] == LABEL for row in figures["targets"])
    assert all(row["unverified"] for row in figures["targets"])
    assert all(
        figures["assumptions"][key]["reason"] for key in ("compute_efficiency", "memory_efficiency", "launch_us")
    )
    assert any("untested" in sentence for sentence in figures["check"]["verdicts"])
    assert any(
        "compared with the floor only" in sentence and "AsymTrack-S" in sentence
        for sentence in figures["check"]["verdicts"]
    )
    assert any("off by a factor of" in sentence for sentence in figures["check"]["verdicts"])


def test_the_table_is_labelled_projection_and_marks_unconfirmed_facts(graph) -> None:
    rows = projection_table(projection_figures(graph, "fp16", devices_of("orin")))
    assert rows[0][0] == "projection"
    marked = {(row[0], row[1]) for row in rows[1:] if row[1].endswith("*")}
    assert ("Jetson Orin NX 16GB", "MAXN*") in marked
    assert ("Jetson Orin Nano 8GB", "15W") in {(row[0], row[1]) for row in rows[1:]}
