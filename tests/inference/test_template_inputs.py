from __future__ import annotations

import numpy as np

from eatrack_edge.core.model_spec import ModelSpec
from eatrack_edge.inference.template_inputs import TemplateInputs

CROP = np.full((64, 64, 3), 7, np.uint8)


def arrays(target_marks: bool) -> dict[str, np.ndarray]:
    model_spec = ModelSpec("m", 12, 64, 128, 2, target_marks=target_marks)
    return {spec.name: np.zeros(spec.shape, spec.dtype) for spec in model_spec.template_inputs()}


def test_a_graph_with_marks_is_told_how_far_the_target_reaches_and_the_slot() -> None:
    held = arrays(target_marks=True)
    TemplateInputs(list(held.values())).write(CROP, (0.25, 1.0), 1)
    assert {name: array.tolist() for name, array in held.items() if name != "template"} == {
        "template_extent": [[0.25, 1.0]],
        "template_slot": [1],
    }
    assert (held["template"] == 7).all()


def test_a_graph_without_takes_the_crop_alone() -> None:
    held = arrays(target_marks=False)
    TemplateInputs(list(held.values())).write(CROP, (0.25, 1.0), 1)
    assert [(name, array.min()) for name, array in held.items()] == [("template", 7)]
