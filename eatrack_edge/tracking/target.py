"""What is known of the one target: its box, and the parts that follow it from frame to frame."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import numpy as np

from eatrack_edge.core.boxes import Box, clip, limit_growth, smooth_size, step_between
from eatrack_edge.core.crops import Frame, Scratch
from eatrack_edge.core.frames import check_frame
from eatrack_edge.core.model_spec import ModelSpec
from eatrack_edge.core.verifier_model import VerifierModel
from eatrack_edge.inference.backend import Backend
from eatrack_edge.tracking.cut_detector import CutDetector
from eatrack_edge.tracking.decode import decode_near
from eatrack_edge.tracking.embedding import Embedding, embed, embed_parts, tokens_under
from eatrack_edge.tracking.extent import Extent, drawn_extent
from eatrack_edge.tracking.lifecycle import Lifecycle, StateChange, TrackState
from eatrack_edge.tracking.motion import MOTION_MODELS, MotionModel
from eatrack_edge.tracking.pace import Pace
from eatrack_edge.tracking.patch_matching import follow_patch
from eatrack_edge.tracking.reacquisition import Candidate, Reacquisition
from eatrack_edge.tracking.recovery import JumpRecovery
from eatrack_edge.tracking.scene import Scene
from eatrack_edge.tracking.search_region import SearchRegion
from eatrack_edge.tracking.settings import TrackerSettings
from eatrack_edge.tracking.verifier import Verifier
from eatrack_edge.tracking.wide_look import WideLook

_SCENE_EVERY = 5  # frames: so often the scene of a tracked target is remembered
_LOCATED_EVERY = 3  # frames: so often that of a lost one is looked for


class Target:
    """One target, from one ``Tracker.init`` to the next.

    Args:
        box: Where it is, pixels of the frame.
        frame_size: (width, height), pixels.
        settings: Of the tracker.
        model_spec: Of the network.
        verifier_model: Of the network.
        scratch: Memory for steps in between.

    Attributes:
        box: Where it is searched for: where it was found last, or where ``bridge`` moved that; pixels of the frame.
        last_reliable_box: The last box that was claimed without doubt, pixels of the frame.
        frame_size: (width, height) of every frame, pixels.
        frame_index: Frames since ``init``.
        is_cut: Whether a cut lies between the frame before and this one.
        first: Embedding of the target in the first frame.
        verifier: What tells it from other objects.
        reacquisition: What looks for it when it is lost.
    """

    def __init__(
        self,
        box: Box,
        frame_size: tuple[int, int],
        settings: TrackerSettings,
        model_spec: ModelSpec,
        verifier_model: VerifierModel,
        scratch: Scratch,
    ) -> None:
        self.box = self.last_reliable_box = box
        self._found_box = box  # where it was found last, also while the box is moved on from there
        self.frame_size = frame_size
        self.frame_index = 0
        self.is_cut = False
        self.region = SearchRegion(model_spec, scratch)
        self.motion, self.recovery, self.wide_look, self.pace = _start_of_motion(settings)
        self.first: Embedding = np.zeros(0, np.float32)
        self.verifier = Verifier(verifier_model)
        self.reacquisition = Reacquisition(settings.reacquisition, model_spec.cropping.search_factor, frame_size)
        self.lifecycle = Lifecycle(
            settings.lifecycle, settings.minimum_confidence, is_calibrated=model_spec.is_calibrated
        )
        self._cuts = CutDetector()
        self._scene = Scene()
        self._located = 0  # frame in which the scene was looked for last
        self._extent = self._network_extent = Extent()  # the drawn box is reported as it is
        self._is_calibrated = model_spec.is_calibrated
        self._settings = settings

    @property
    def may_be_learned(self) -> bool:
        """Whether what is in the box may be learned: it is surely the target.

        After a jump, or before a lost target has proved itself, it may be another object, and would be learned instead.
        """
        is_doubtful = self.recovery.last_reliable_box is not None or self.reacquisition.is_on_probation
        return self.lifecycle.is_confirmed and not is_doubtful

    @property
    def expected(self) -> Box:
        """Where it is expected in the next frame, pixels of the frame."""
        return self.motion.predict(self.box)

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """What may be the lost target, the likeliest first; each box inside the frame.

        They are looked at again in their whole size, so it is only here that they are cut off.
        """
        return tuple(one._replace(box=self.reported(one.box)) for one in self.reacquisition.candidates)

    def reported(self, box: Box) -> Box:
        """A box that is followed, pixels of the frame, as it is reported: see ``tracking.extent``."""
        return self._inside(self._extent.of(box, self.frame_size))

    def _inside(self, box: Box) -> Box:
        return clip(box, *self.frame_size, self._settings.minimum_side_px)

    def bridge(self, frames: Iterable[Frame]) -> None:
        """Move the box with what it shows, see ``Tracker.bridge``; only while that is surely the target."""
        if not self.lifecycle.is_confirmed or self.reacquisition.is_on:
            return
        width, height = self.frame_size
        for before, after in pairwise(frames):
            check_frame(before)
            check_frame(after)
            if before.shape[:2] != (height, width) or after.shape[:2] != (height, width):
                return
            if (moved := follow_patch(before, after, self.box)) is None:
                return
            self.box = self._inside(moved)
            self.motion.missed()  # what it expected is done

    def found(self, box: Box, size_from: Box) -> None:
        """The network found the target.

        Args:
            box: Where, pixels of the frame.
            size_from: The box whose size it continues from: changes of size are smoothed and limited.
        """
        box = smooth_size(box, size_from, self._settings.size_rate)
        box = limit_growth(box, size_from, self._settings.maximum_growth)
        self._extent = self._network_extent
        self._go_on_from(self._inside(box))

    def moved(self, box: Box) -> None:
        """The target was found at the centre of a box, pixels of the frame, whose size is not to be relied on."""
        across, down = step_between(self.box, box)
        x, y, w, h = self.box
        self._go_on_from(self._inside((x + across, y + down, w, h)))

    def _go_on_from(self, box: Box) -> None:
        self.motion.found(self.box, box)
        self.recovery.found(self.box, box)
        self.wide_look.found(self.box, box)
        self.pace.found(self.box, box)
        self.box = self._found_box = box

    def missed(self) -> None:
        """The target was not found in a frame; the box stays where it was found last."""
        self.box = self._found_box
        self.motion.missed()
        self.recovery.missed()

    def found_again(self, box: Box) -> None:
        """A lost target was found, and verified, in a box, pixels of the frame."""
        self.box = self._found_box = self._inside(box)
        self._extent = self._network_extent
        self.motion, self.recovery, self.wide_look, self.pace = _start_of_motion(self._settings)

    def observe(
        self, confidence: float, log_odds: float, *, is_known: bool = False, is_found: bool = False, note: str = ""
    ) -> StateChange | None:
        """Let the life cycle count this frame, see ``Lifecycle.observe``; a lost target is looked for from then on."""
        change = self.lifecycle.observe(
            self.frame_index,
            confidence,
            log_odds,
            is_known=is_known,
            is_cut=self.is_cut,
            is_found=is_found,
            note=note,
        )
        if self.lifecycle.state in (TrackState.TRACKING, TrackState.REACQUIRED):
            self.last_reliable_box = self.box
        elif change is not None and change.state is TrackState.LOST and not self.reacquisition.is_on:
            self._begin_search()
        return change

    def take_back(self, confidence: float, log_odds: float) -> StateChange | None:
        """What was found again is not the target: it is lost as before, see ``Lifecycle.take_back``."""
        self._begin_search()
        return self.lifecycle.take_back(self.frame_index, confidence, log_odds)

    def _begin_search(self) -> None:
        """Look for the target where it was last; what was found again and lost at once was another object."""
        search = self.reacquisition
        if search.is_on_probation:
            self.box = self.last_reliable_box = search.last
        search.start(self.box, is_after_cut=search.is_on_probation and search.is_after_cut)

    def start(self, frame: Frame, backend: Backend) -> Embedding:
        """Learn the target's look and extent, from a search crop like every later embedding; takes one inference."""
        self._cuts.observe(frame)
        self._scene.remember(frame, self.box)
        window = self.region.window(self.expected)
        maps = backend.infer(self.region.cut(frame, window))
        tokens, box = maps.search_tokens, window.to_crop(self.box)
        self.first = embed(tokens_under(tokens, box, window.out_size))
        self.verifier.start(embed_parts(tokens, box, window.out_size))
        if (seen := decode_near(maps, box, window.out_size)) is not None:
            self._network_extent = drawn_extent(box, seen.box, self._settings.extent_share)
        return self.first

    def next_frame(self, frame: Frame) -> None:
        """Begin with a frame. After a cut the likely places come first."""
        self.frame_index += 1
        # Without a confidence that is a probability nothing could be verified afterwards.
        self.is_cut = self._cuts.observe(frame) and self._is_calibrated
        search = self.reacquisition
        if self.is_cut and search.is_on:
            search.start(search.last, is_after_cut=True)
        elif self.is_cut:
            self.box = self._found_box
            search.start(self.box, is_after_cut=True)
        if search.is_on and (self.is_cut or self.frame_index - self._located >= _LOCATED_EVERY):
            self._located = self.frame_index
            search.on_ground(self._scene.locate(frame))

    def remember_scene(self, frame: Frame) -> None:
        """Remember, every few frames, the scene of a frame in which the box is surely on the target."""
        if self.frame_index % _SCENE_EVERY == 0:
            self._scene.remember(frame, self.box)


def _start_of_motion(settings: TrackerSettings) -> tuple[MotionModel, JumpRecovery, WideLook, Pace]:
    motion = MOTION_MODELS.get(settings.motion.model)(settings.motion)
    return motion, JumpRecovery(settings.recovery), WideLook(), Pace()
