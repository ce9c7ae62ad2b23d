"""The search region: where the network looks for the target in the next frame, and how large that is."""

from __future__ import annotations

import numpy as np

from eatrack_edge.core.boxes import Box
from eatrack_edge.core.crops import CropWindow, Frame, Scratch, cut
from eatrack_edge.core.model_spec import ModelSpec
from eatrack_edge.tracking.settings import SearchSettings


class SearchRegion:
    """A square around the expected box. It grows while the target is not found.

    Args:
        settings: When and how far it grows.
        model_spec: How the network's crops are cut.
        scratch: Memory for steps in between, so that a long flight allocates nothing.

    Attributes:
        scale: Factor on the side of the search region, from 1 (target found) to ``maximum_scale``.
    """

    def __init__(self, settings: SearchSettings, model_spec: ModelSpec, scratch: Scratch) -> None:
        self.scale = 1.0
        self._settings = settings
        self._model_spec = model_spec
        self._scratch = scratch
        self._crop = np.empty((model_spec.search_size, model_spec.search_size, 3), np.uint8)
        self._missed_frames = 0

    def window(self, expected: Box) -> CropWindow:
        """The region around a box, in pixels of the frame."""
        cropping = self._model_spec.cropping
        factor = cropping.search_factor * self.scale
        return CropWindow.around(expected, factor, self._model_spec.search_size, cropping.window)

    def cut(self, frame: Frame, window: CropWindow) -> Frame:
        """The search crop, shape (X, X, 3). Its memory is used again for the next frame."""
        return cut(frame, window, self._model_spec.padding_bgr, out=self._crop, scratch=self._scratch)

    def found(self) -> None:
        """Return to the normal size: the target was found."""
        self.scale, self._missed_frames = 1.0, 0

    def missed(self) -> None:
        """Count a frame in which the target was not found, and grow when there were several."""
        self._missed_frames += 1
        if self._missed_frames >= self._settings.grow_after:
            self.scale = min(self._settings.maximum_scale, self.scale * self._settings.grow_factor)
