"""What is known of the one target: its box, and the parts that follow it from frame to frame."""

from __future__ import annotations

from eatrack_edge.core.boxes import Box, clip, limit_growth, smooth_size
from eatrack_edge.core.crops import CropWindow, Frame, Scratch
from eatrack_edge.core.model_spec import ModelSpec
from eatrack_edge.inference.backend import Backend
from eatrack_edge.tracking.embedding import Embedding, embed, tokens_under
from eatrack_edge.tracking.lifecycle import TrackState
from eatrack_edge.tracking.motion import MOTION_MODELS, MotionModel
from eatrack_edge.tracking.recovery import JumpRecovery
from eatrack_edge.tracking.refinement import Refinement
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
        box: The last reliable box, pixels of the frame.
        reported_box: The same as it is reported, after refinement.
        frame_size: (width, height) of every frame, pixels.
        frame_index: Frames since ``init``.
    """

    def __init__(
        self, box: Box, frame_size: tuple[int, int], settings: TrackerSettings, model_spec: ModelSpec, scratch: Scratch
    ) -> None:
        self.box = self.reported_box = self._last = box
        self.frame_size = frame_size
        self.frame_index = 0
        self.region = SearchRegion(settings.search, model_spec, scratch)
        self.motion: MotionModel = MOTION_MODELS.get(settings.motion.model)(settings.motion)
        self.recovery = JumpRecovery(settings.recovery)
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
        self._last = self.box
        self.box = self.reported_box = box

    def refine(self, frame: Frame, refinement: Refinement, state: TrackState) -> None:
        """Let a second network look at the box that was just found, where the confidence is high.

        Args:
            frame: The frame, in which it was found.
            refinement: Looks, and decides whether its box is taken.
            state: Of the frame.
        """
        if state is not TrackState.TRACKING:
            return
        if refined := refinement.refine(frame, self.box, self._last):
            minimum = self._settings.minimum_side_px
            self.box = clip(refined.followed, *self.frame_size, minimum)
            self.reported_box = clip(refined.reported, *self.frame_size, minimum)

    def missed(self) -> None:
        """The target was not found in a frame; the box stays."""
        self.motion.missed()
        self.recovery.missed()
        self.region.missed()

    def embedding(self, frame: Frame, backend: Backend) -> Embedding:
        """What the box shows, read from a search crop like every later embedding; takes one inference."""
        window = self.search_window()
        maps = backend.infer(self.region.cut(frame, window))
        return embed(tokens_under(maps.search_tokens, window.to_crop(self.box), window.out_size))
