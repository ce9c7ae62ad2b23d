"""One look at a search region: what the network finds there, and how sure it is."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from eatrack_edge.core.boxes import Box
from eatrack_edge.core.crops import CropWindow, Frame
from eatrack_edge.core.frames import is_flat
from eatrack_edge.inference.backend import Backend, Maps
from eatrack_edge.tracking.decode import Decoded, confidence_of, decode, hann_window
from eatrack_edge.tracking.embedding import Embedding, embed_parts
from eatrack_edge.tracking.result import Stopwatch
from eatrack_edge.tracking.search_region import SearchRegion

_FLAT = "the search region shows one flat colour"
_NOT_FINITE = "the network's output is not finite"


class Sight(NamedTuple):
    """What a search region shows.

    Attributes:
        crop: The search crop; its memory is used again for the next look.
        maps: The network's outputs for it.
        window: Where it lies, pixels of the frame.
        best: What the network finds.
    """

    crop: Frame
    maps: Maps
    window: CropWindow
    best: Decoded

    @property
    def box(self) -> Box:
        """What the network finds, pixels of the frame."""
        return self.window.to_frame(self.best.box)

    def embed(self, best: Decoded) -> Embedding:
        """What a box of the search crop shows, for the verifier."""
        return embed_parts(self.maps.search_tokens, best.box, self.window.out_size)


class Looker:
    """Looks at search regions with one network.

    Args:
        backend: Runs it.
        size_penalty: See ``TrackerSettings``.
    """

    def __init__(self, backend: Backend, size_penalty: float) -> None:
        self.model_spec = backend.model_spec
        self._backend = backend
        self._size_penalty = size_penalty
        self._hann_window = hann_window(self.model_spec.grid)
        self._no_prior = np.ones_like(self._hann_window)

    def look(
        self, frame: Frame, region: SearchRegion, window: CropWindow, expected: Box, watch: Stopwatch, *, is_new: bool
    ) -> Sight | str:
        """Look for the target in a search region, or say why it gives no evidence.

        Args:
            frame: To look in.
            region: Cuts it.
            window: The search region, pixels of the frame.
            expected: The box in whose size the target is expected, pixels of the frame.
            watch: Of the update.
            is_new: Whether the target may be anywhere in it: then it is not expected at its centre.
        """
        crop = region.cut(frame, window)
        watch.lap("crop")
        if is_flat(crop):
            return _FLAT
        maps = self._backend.infer(crop)
        watch.lap("infer")
        prior = self._no_prior if is_new else self._hann_window
        best = decode(maps, prior, window.out_size, window.extent(expected), self._size_penalty)
        return _NOT_FINITE if best is None else Sight(crop, maps, window, best)

    def confidence(self, best: Decoded) -> float:
        """Probability that a box is on the target, if the search region shows it, [0, 1]."""
        return confidence_of(best.score, self.model_spec.confidence_scale, self.model_spec.confidence_shift)
