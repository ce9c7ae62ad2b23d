from __future__ import annotations

from dataclasses import replace

import pytest

from eatrack_edge.core.errors import InputError
from eatrack_edge.core.model_spec import PRECISIONS, Cropping, ModelSpec, split_stem, stem_of

CONTRACT = ModelSpec(
    model="eatrack_s",
    dim=384,
    template_size=128,
    search_size=256,
    template_slots=2,
    cropping=Cropping(window="subpixel", padding_rgb=(124, 116, 104)),
    checkpoint_sha256="ab" * 32,
    tool_version="0.1.0",
)


def test_metadata_holds_the_whole_model_spec() -> None:
    assert ModelSpec.from_metadata(CONTRACT.to_metadata(), "a.onnx") == CONTRACT


def test_metadata_is_flat_text_that_a_person_can_read() -> None:
    metadata = CONTRACT.to_metadata()
    assert metadata["search_factor"] == "4.0"
    assert metadata["template_slots"] == "2"
    assert metadata["channel_order"] == "BGR"
    assert metadata["window"] == "subpixel"


def test_shapes_follow_from_the_model_spec() -> None:
    assert [(spec.name, spec.shape) for spec in CONTRACT.track_inputs()] == [
        ("search", (256, 256, 3)),
        ("template_tokens_0", (1, 64, 384)),
        ("template_tokens_1", (1, 64, 384)),
    ]
    assert [spec.shape for spec in CONTRACT.track_outputs()] == [
        (1, 1, 16, 16),
        (1, 2, 16, 16),
        (1, 2, 16, 16),
        (1, 256, 384),
    ]
    assert len(replace(CONTRACT, template_slots=1).track_inputs()) == 2


@pytest.mark.parametrize(
    ("form", "held"),
    [
        ("tokens", [("template_tokens_1", (1, 64, 384), "float32")]),
        (
            "projections",
            [("template_tokens_1", (1, 64, 384), "float32"), ("template_projections_1", (1, 64, 1152), "float32")],
        ),
        ("crop", [("template_crop_1", (128, 128, 3), "float32")]),
    ],
)
def test_a_slot_holds_what_the_template_graph_makes(form: str, held: list[tuple[str, tuple[int, ...], str]]) -> None:
    model_spec = replace(CONTRACT, template_form=form)
    assert [(spec.name, spec.shape, spec.dtype) for spec in model_spec.slot_inputs(1)] == held
    assert model_spec.track_inputs()[-len(held) :] == model_spec.slot_inputs(1)


def test_a_graph_that_does_not_say_what_its_slots_hold_holds_tokens() -> None:
    metadata = replace(CONTRACT, template_form="projections").to_metadata()
    del metadata["template_form"]
    assert ModelSpec.from_metadata(metadata, "a.onnx").template_form == "tokens"


def test_an_unknown_template_form_is_refused() -> None:
    with pytest.raises(InputError, match="template form must be one of projections, tokens, crop, got `token`"):
        replace(CONTRACT, template_form="token")


def test_padding_is_given_in_the_frames_channel_order() -> None:
    assert CONTRACT.padding_bgr == (104, 116, 124)


def test_a_graph_of_another_schema_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        ModelSpec.from_metadata({"schema": "eatrack-edge/9"}, "a.onnx")
    assert str(caught.value) == (
        "a.onnx: metadata `schema` is 'eatrack-edge/9', this version reads 'eatrack-edge/1'\n"
        "hint: export the checkpoint again with this version: eatrack-edge export CHECKPOINT"
    )


@pytest.mark.parametrize("key", ["dim", "window", "mean_rgb"])
def test_a_missing_key_is_named(key: str) -> None:
    metadata = CONTRACT.to_metadata()
    del metadata[key]
    with pytest.raises(InputError, match=f"a.onnx: metadata is not a model specification: .*{key}"):
        ModelSpec.from_metadata(metadata, "a.onnx")


def test_an_unknown_crop_window_is_refused() -> None:
    with pytest.raises(InputError, match="crop window must be `integer` or `subpixel`, got `round`"):
        Cropping(window="round")


def test_a_graph_that_does_not_say_its_precision_is_fp32() -> None:
    metadata = CONTRACT.to_metadata()
    assert metadata.pop("precision") == "fp32"
    assert ModelSpec.from_metadata(metadata, "a.onnx") == CONTRACT
    assert ModelSpec.from_metadata(metadata | {"precision": "int8"}, "a.onnx").precision == "int8"


@pytest.mark.parametrize("name", ["eatrack_s", "eatrack_s.v2"])
@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_stem_says_name_and_precision(name: str, precision: str) -> None:
    assert split_stem(stem_of(name, precision)) == (name, precision)
    assert (precision in stem_of(name, precision)) == (precision != "fp32")
