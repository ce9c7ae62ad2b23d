from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from eatrack_edge.benchmarks.measure.versus import Entry, installed_backends, open_entry, opened_as, parse_entry, ratio
from eatrack_edge.core.errors import InputError, UsageError

OURS = Entry("ours", model="eatrack_s", backend="onnxruntime")


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        pytest.param("kcf", Entry("kcf", baseline="kcf"), id="a baseline"),
        pytest.param("openvino", Entry("openvino", model="eatrack_s", backend="openvino"), id="a backend"),
        pytest.param(
            "int8", Entry("int8", model="eatrack_s", backend="onnxruntime", precision="int8"), id="a precision"
        ),
        pytest.param(
            "openvino:int8-fp16",
            Entry("openvino:int8-fp16", model="eatrack_s", backend="openvino", precision="int8-fp16"),
            id="both",
        ),
        pytest.param(
            "mine@openvino", Entry("mine@openvino", model="mine", backend="openvino"), id="a model on a backend"
        ),
        pytest.param("eatrack_s", Entry("eatrack_s", model="eatrack_s", backend="onnxruntime"), id="a bundled model"),
    ],
)
def test_an_entry_is_read(spec: str, expected: Entry) -> None:
    assert parse_entry(spec, OURS) == expected


def test_an_exported_file_is_a_model(tmp_path: Path) -> None:
    path = tmp_path / "mine.track.onnx"
    path.touch()
    assert parse_entry(str(path), OURS).model == str(path)


@pytest.mark.parametrize(
    ("spec", "hint"),
    [("nanotrack_v4", "did you mean `nanotrack_v3`?"), ("openvino:int9", "did you mean `openvino`?")],
)
def test_an_unknown_entry_is_refused_with_what_is_near(spec: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_entry(spec, OURS)
    assert str(caught.value) == f"nothing called `{spec}` to compare with\nhint: {hint}"


def test_a_precision_that_was_not_exported_is_refused() -> None:
    with pytest.raises(UsageError, match="there are no int8 graphs of `eatrack_s`"):
        opened_as(parse_entry("int8", OURS))


def test_a_peer_without_its_weights_is_refused() -> None:
    with pytest.raises(InputError, match="vittrack needs its published weights"):
        open_entry(parse_entry("vittrack", OURS), None, 1)


def test_ours_in_another_way_has_the_same_refinement() -> None:
    ours = replace(OURS, refinement="off")
    others = [parse_entry("openvino", ours), *installed_backends(ours, "onnxruntime (CPU)")]
    assert {entry.refinement for entry in others} == {"off"}


def test_the_backend_that_is_measured_is_not_its_own_rival() -> None:
    assert "onnxruntime" not in [entry.backend for entry in installed_backends(OURS, "onnxruntime (CPU)")]


def test_drift_cancels_in_the_ratio() -> None:
    rng = np.random.default_rng(1)
    drift = np.linspace(1, 3, 40)  # the machine gets three times slower
    ours, others = 10 * drift, 20 * drift * rng.normal(1, 0.02, 40)
    found = ratio(ours.tolist(), others.tolist())
    assert found.median == pytest.approx(2.0, rel=0.02)
    assert found.q25 <= found.median <= found.q75
    assert found.low <= found.median <= found.high
    assert found.high - found.low < 0.08
    assert found.blocks == 40
