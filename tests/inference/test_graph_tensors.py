from __future__ import annotations

import numpy as np

from eatrack_edge.core.model_spec import ModelSpec
from eatrack_edge.inference.graph_tensors import TemplateInputs

CROP = np.full((64, 64, 3), 7, np.uint8)


def arrays(foreground_embedding: bool) -> dict[str, np.ndarray]:
    model_spec = ModelSpec("m", 12, 64, 128, 2, foreground_embedding=foreground_embedding)
    return {spec.name: np.zeros(spec.shape, spec.dtype) for spec in model_spec.template_inputs()}


def test_a_graph_with_a_foreground_embedding_gets_extent_and_slot() -> None:
    held = arrays(foreground_embedding=True)
    TemplateInputs(list(held.values())).write(CROP, (0.25, 1.0), 1)
    assert {name: array.tolist() for name, array in held.items() if name != "template"} == {
        "template_extent": [[0.25, 1.0]],
        "template_slot": [1],
    }
    assert (held["template"] == 7).all()


def test_a_graph_without_one_gets_the_crop_alone() -> None:
    held = arrays(foreground_embedding=False)
    TemplateInputs(list(held.values())).write(CROP, (0.25, 1.0), 1)
    assert [(name, array.min()) for name, array in held.items()] == [("template", 7)]
