"""The search region: where the network looks for the target in a frame, and how large that is."""

from __future__ import annotations

import numpy as np

from eatrack_edge.core.boxes import Box
from eatrack_edge.core.crops import CropWindow, Frame, Scratch, cut
from eatrack_edge.core.model_spec import ModelSpec


class SearchRegion:
    """Cuts squares around the place where the target is expected.

    Args:
        model_spec: How the network's crops are cut.
        scratch: Memory for steps in between, so that a long flight allocates nothing.
    """

    def __init__(self, model_spec: ModelSpec, scratch: Scratch) -> None:
        self._model_spec = model_spec
        self._scratch = scratch
        self._crop = np.empty((model_spec.search_size, model_spec.search_size, 3), np.uint8)

    def window(self, expected: Box, scale: float = 1.0) -> CropWindow:
        """The region around a box, pixels of the frame.

        Args:
            expected: The box.
            scale: Of the search region's side; 1 is how the network was trained.
        """
        cropping = self._model_spec.cropping
        factor = cropping.search_factor * scale
        return CropWindow.around(expected, factor, self._model_spec.search_size, cropping.window)

    def cut(self, frame: Frame, window: CropWindow) -> Frame:
        """The search crop, shape (X, X, 3). Its memory is used again for the next frame."""
        return cut(frame, window, self._model_spec.padding_bgr, out=self._crop, scratch=self._scratch)
