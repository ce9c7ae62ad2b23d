from __future__ import annotations

import numpy as np
import pytest

from eatrack_edge.core.errors import InputError
from eatrack_edge.core.verifier_model import UNFITTED, SignWeights, TokenProjection, VerifierModel

ALONE, WITH_SECOND = SignWeights(0.5, 1.0, 10.0, -7.0), SignWeights(0.1, 1.0, 9.0, -6.0, 0.75)


def model() -> VerifierModel:
    rng = np.random.default_rng(0)
    mean = rng.normal(size=12).astype(np.float32)
    return VerifierModel(ALONE, WITH_SECOND, TokenProjection(mean, rng.normal(size=(12, 4)).astype(np.float32)))


def test_what_was_learned_survives_the_way_through_metadata() -> None:
    read = VerifierModel.from_text(model().to_text(), 12, "a.onnx")
    assert (read.alone, read.with_second) == (ALONE, WITH_SECOND)
    assert read.projection is not None
    assert model().projection is not None
    tokens = np.random.default_rng(1).normal(size=(9, 12)).astype(np.float32)
    np.testing.assert_allclose(read.projection(tokens), model().projection(tokens), atol=2e-3)
    assert read.to_text() == model().to_text()


def test_a_model_without_a_projection_survives_too() -> None:
    read = VerifierModel.from_text(VerifierModel(ALONE, WITH_SECOND).to_text(), 12, "a.onnx")
    assert read == VerifierModel(ALONE, WITH_SECOND)


def test_a_network_without_metadata_of_its_verifier_compares_tokens_as_they_are() -> None:
    assert VerifierModel.from_text("", 384, "a.onnx") is UNFITTED
    assert UNFITTED.projection is None


def test_a_projection_is_at_unit_length_and_takes_nothing_without_harm() -> None:
    projection = model().projection
    assert projection is not None
    projected = projection(np.random.default_rng(1).normal(size=(9, 12)).astype(np.float32))
    np.testing.assert_allclose(np.linalg.norm(projected, axis=1), 1, atol=1e-6)
    assert np.isfinite(projection(np.zeros((9, 12), np.float32))).all()


@pytest.mark.parametrize(
    "text",
    [
        "no json",
        "{}",
        model().to_text().replace('"kept":4', '"kept":5'),
        model().to_text().replace('"mean":"', '"mean":"!'),
    ],
)
def test_metadata_that_cannot_be_read_names_its_file(text: str) -> None:
    with pytest.raises(InputError, match=r"a\.onnx: metadata `verifier` cannot be read"):
        VerifierModel.from_text(text, 12, "a.onnx")


def test_a_projection_of_tokens_of_another_width_is_refused() -> None:
    with pytest.raises(InputError, match="cannot be read"):
        VerifierModel.from_text(model().to_text(), 24, "a.onnx")
