"""What every backend writes before it runs the template graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eatrack_edge.core.crops import Frame


class TemplateInputs:
    """The template graph's inputs, in the memory that it reads them from.

    Args:
        arrays: In the order of ``ModelSpec.template_inputs``; the crop alone where templates are not marked.
    """

    def __init__(self, arrays: Sequence[NDArray[Any]]) -> None:
        self._crop, *self._marks = arrays

    def write(self, crop: Frame, extent: tuple[float, float], slot: int) -> None:
        """Write a template crop, its target's width and height as fractions of it, and the slot that it is for."""
        np.copyto(self._crop, crop)
        for array, value in zip(self._marks, (extent, slot), strict=False):
            array[:] = value
