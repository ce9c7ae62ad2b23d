"""What is known of the one target: its box, and the parts that follow it from frame to frame."""

from __future__ import annotations

import numpy as np

from eatrack_edge.core.boxes import Box, clip, limit_growth, smooth_size
from eatrack_edge.core.crops import CropWindow, Frame, Scratch
from eatrack_edge.core.model_spec import ModelSpec
from eatrack_edge.inference.backend import Backend, Maps
from eatrack_edge.tracking.cut_detector import CutDetector
from eatrack_edge.tracking.embedding import Embedding, embed, tokens_under
from eatrack_edge.tracking.lifecycle import Lifecycle, StateChange, TrackState
from eatrack_edge.tracking.motion import MOTION_MODELS, MotionModel
from eatrack_edge.tracking.recovery import JumpRecovery
from eatrack_edge.tracking.search_region import SearchRegion
from eatrack_edge.tracking.settings import TrackerSettings


class Target:
    """One target, from one ``Tracker.init`` to the next.

    Args:
        box: Where it is, pixels of the frame.
        frame_size: (width, height), pixels.
        settings: Of the tracker.
        model_spec: Of the network.
        scratch: Memory for steps in between.

    Attributes:
        box: Where it was found last, and is searched for, pixels of the frame.
        last_reliable_box: The last box that was claimed without doubt, pixels of the frame.
        frame_size: (width, height) of every frame, pixels.
        frame_index: Frames since ``init``.
        is_cut: Whether a cut lies between the frame before and this one.
        first: Embedding of the target in the first frame.
    """

    def __init__(
        self, box: Box, frame_size: tuple[int, int], settings: TrackerSettings, model_spec: ModelSpec, scratch: Scratch
    ) -> None:
        self.box = self.last_reliable_box = box
        self.frame_size = frame_size
        self.frame_index = 0
        self.region = SearchRegion(settings.search, model_spec, scratch)
        self.motion: MotionModel = MOTION_MODELS.get(settings.motion.model)(settings.motion)
        self.recovery = JumpRecovery(settings.recovery)
        self.is_cut = False
        self.first: Embedding = np.zeros(0, np.float32)
        self._cuts = CutDetector()
        self.lifecycle = Lifecycle(
            settings.lifecycle, settings.minimum_confidence, is_calibrated=model_spec.is_calibrated
        )
        self._settings = settings

    def search_window(self) -> CropWindow:
        """The search region of the next frame, pixels of the frame."""
        return self.region.window(self.motion.predict(self.box))

    def found(self, box: Box, size_from: Box) -> None:
        """The network found the target.

        Args:
            box: Where, pixels of the frame.
            size_from: The box whose size it continues from: changes of size are smoothed and limited.
        """
        box = smooth_size(box, size_from, self._settings.size_rate)
        box = limit_growth(box, size_from, self._settings.maximum_growth)
        box = clip(box, *self.frame_size, self._settings.minimum_side_px)
        self.motion.found(self.box, box)
        self.recovery.found(self.box, box)
        self.region.found()
        self.box = box

    def missed(self) -> None:
        """The target was not found in a frame; the box stays."""
        self.motion.missed()
        self.recovery.missed()
        self.region.missed()

    def observe(self, confidence: float, similarity: float, note: str = "") -> StateChange | None:
        """Let the life cycle count this frame; see ``Lifecycle.observe``."""
        change = self.lifecycle.observe(self.frame_index, confidence, similarity, is_cut=self.is_cut, note=note)
        if self.lifecycle.state in (TrackState.TRACKING, TrackState.REACQUIRED):
            self.last_reliable_box = self.box
        return change

    def start(self, frame: Frame, backend: Backend) -> None:
        """Learn what the target looks like, from a search crop like every later embedding; takes one inference."""
        self._cuts.observe(frame)
        window = self.search_window()
        maps = backend.infer(self.region.cut(frame, window))
        self.first = embed(tokens_under(maps.search_tokens, window.to_crop(self.box), window.out_size))

    def next_frame(self, frame: Frame) -> None:
        """Begin with a frame."""
        self.frame_index += 1
        self.is_cut = self._cuts.observe(frame)

    def similarity(self, maps: Maps, box: Box, search_size: int) -> float:
        """Cosine of what a box shows to the target in the first frame, [-1, 1].

        Args:
            maps: Of this frame.
            box: In pixels of the search crop.
            search_size: Side of the search crop, pixels.
        """
        return float(embed(tokens_under(maps.search_tokens, box, search_size)) @ self.first)
