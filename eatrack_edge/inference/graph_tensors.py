"""The tensors of the two graphs: checked against the model specification, and the template graph's inputs written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eatrack_edge.core.crops import Frame
from eatrack_edge.core.errors import InputError
from eatrack_edge.core.model_spec import ModelSpec, TensorSpec

Found = list[tuple[str, tuple[int, ...]]]  # name and shape of each tensor, in the graph's order


def check_file(graph: Path) -> None:
    """Refuse a path that is not a file.

    Raises:
        InputError: There is no such file.
    """
    if not graph.is_file():
        how = " --precision int8 --calib DATA" if ".int8." in graph.name else ""
        hint = f"make it: eatrack-edge export CHECKPOINT{how} -o {graph.parent}"
        raise InputError(f"{graph}: no such graph", hint=hint)


def check_same_export(template: ModelSpec, track: ModelSpec, template_graph: Path, track_graph: Path) -> None:
    """Refuse two graphs whose model specifications differ.

    Raises:
        InputError: They differ.
    """
    if template != track:
        raise InputError(
            f"{template_graph.name} and {track_graph.name} come from different exports",
            hint="export both again: eatrack-edge export",
        )


def check_tensors(found: Found, wanted: tuple[TensorSpec, ...], graph: Path) -> None:
    """Refuse a graph whose inputs or outputs differ from its model specification in name, shape or order.

    Raises:
        InputError: They differ.
    """
    expected = [(spec.name, spec.shape) for spec in wanted]
    if found != expected:
        raise InputError(
            f"{graph}: holds {found}, its model specification says {expected}",
            hint="export it again: eatrack-edge export",
        )


class TemplateInputs:
    """The template graph's inputs, in the memory from which the graph reads them.

    Args:
        arrays: In the order of ``ModelSpec.template_inputs``: the crop, and with a foreground embedding the box's
            extent and the template slot.
    """

    def __init__(self, arrays: Sequence[NDArray[Any]]) -> None:
        self._crop, *self._extent_and_slot = arrays

    def write(self, crop: Frame, extent: tuple[float, float], slot: int) -> None:
        """Write a template crop, the width and height of its target as fractions of the crop, and its slot."""
        np.copyto(self._crop, crop)
        for array, value in zip(self._extent_and_slot, (extent, slot), strict=False):
            array[:] = value
