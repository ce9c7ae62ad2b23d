from __future__ import annotations

from dataclasses import replace

import pytest

from eatrack_edge.core.errors import InputError
from eatrack_edge.core.verifier_model import UNFITTED, SignWeights, VerifierModel

MODEL = VerifierModel(SignWeights(0.5, 1.0, 10.0, -7.0), SignWeights(0.1, 1.0, 9.0, -6.0, 0.75), "eatrack_s")


def test_what_was_learned_survives_the_way_through_metadata() -> None:
    assert VerifierModel.from_text(MODEL.to_text(), "a.onnx") == MODEL


def test_what_was_learned_before_it_named_its_network_can_still_be_read() -> None:
    text = MODEL.to_text().replace(',"model":"eatrack_s"', "")
    assert "eatrack_s" not in text
    assert VerifierModel.from_text(text, "a.onnx") == replace(MODEL, model="")


def test_a_network_whose_metadata_has_none_takes_that_of_the_default_model() -> None:
    assert VerifierModel.from_text("", "a.onnx") is UNFITTED


@pytest.mark.parametrize(
    "text", ["no json", "{}", MODEL.to_text().replace("0.75", '"much"'), MODEL.to_text().replace("0.75", "1e308")]
)
def test_metadata_that_cannot_be_read_names_its_file(text: str) -> None:
    with pytest.raises(InputError, match=r"a\.onnx: not the weights of a verifier: "):
        VerifierModel.from_text(text, "a.onnx")
