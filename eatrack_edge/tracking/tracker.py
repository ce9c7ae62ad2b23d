"""The tracker: ``init`` on a box, then ``update`` on every frame."""

from __future__ import annotations

import math
from collections import deque
from pathlib import Path
from time import perf_counter
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from eatrack_edge.core.boxes import Box, clip, follow_size, limit_growth
from eatrack_edge.core.crops import CropWindow, Frame, Patch, Scratch, cut
from eatrack_edge.core.errors import InputError, UsageError
from eatrack_edge.core.frames import as_bgr, is_flat
from eatrack_edge.core.resources import DEFAULT_MODEL
from eatrack_edge.inference.backend import Backend, Maps
from eatrack_edge.inference.registry import Choice, choose_backend
from eatrack_edge.tracking.decode import Decoded, confidence_of, decode, decode_near, hann_window
from eatrack_edge.tracking.recovery import Leap
from eatrack_edge.tracking.search_region import Reach
from eatrack_edge.tracking.settings import TrackerSettings
from eatrack_edge.tracking.templates import StoredTarget, TargetStore, TemplateEvent, embed, tokens_under

State = Literal["TRACKING", "UNCERTAIN"]
_EVENTS_KEPT = 256  # the newest decisions; a long flight must not grow


class Latency(NamedTuple):
    """Where an update's time went, in milliseconds."""

    crop: float
    infer: float  # copies to and from the backend included
    decode: float
    template: float  # storing the target, and on activation encoding the new template
    total: float


class Update(NamedTuple):
    """What one frame told us."""

    box: Box  # in pixels of the frame, inside it
    confidence: float  # that the box is on the target, in [0, 1]; 0 where nothing was seen
    # UNCERTAIN is no claim that the target is lost. The box is then the last sure one where the model's confidence is
    # calibrated, and what was found in this frame where it is not.
    state: State
    latency_ms: Latency
    template_event: TemplateEvent | None = None  # what an activation decided, on the frames that have one
    note: str = ""  # why a frame gave no evidence; empty otherwise


class Tracker:
    """Follows one target.

    Args:
        model: A bundled model's name, an exported file or folder, engines, or a backend that is already open.
        backend: What executes the graphs; ``auto`` takes the best there is, and ``choice`` says why.
        threads: Threads of one inference.
        settings: See ``TrackerSettings``; one default serves every video.

    Raises:
        UsageError: No such model or backend.
        MachineError: The backend lacks something here, its package perhaps.
    """

    def __init__(
        self,
        model: str | Path | Backend = DEFAULT_MODEL,
        *,
        backend: str = "auto",
        threads: int = 1,
        settings: TrackerSettings | None = None,
    ) -> None:
        self.settings = settings or TrackerSettings()
        self.choice = choose_backend(model, backend, threads) if isinstance(model, (str, Path)) else Choice(model)
        self.backend = self.choice.backend
        self.model_spec = self.backend.model_spec
        self.template_events: deque[TemplateEvent] = deque(maxlen=_EVENTS_KEPT)
        self.template_crops: list[Frame] = []  # what each slot shows, for people to look at
        self._window = hann_window(self.model_spec.grid)
        self._reach = Reach(self.settings.search)
        self._leap = Leap(self.settings.leap)
        self._box: Box | None = None
        self._store: TargetStore | None = None
        self._frame_size = (0, 0)
        self._frame_index = 0
        # Crops are made in the same memory on every frame, so that a long flight allocates nothing.
        self._scratch = Scratch()
        self._search_crop = np.empty((self.model_spec.search_size, self.model_spec.search_size, 3), np.uint8)
        # Of stored targets: the store forgets the oldest before its turn comes again.
        self._patches = [Patch(self.model_spec.padding_bgr) for _ in range(self.settings.templates.capacity)]
        self._stored_count = 0

    def init(self, frame: NDArray[Any], box: Box) -> None:
        """Take the target under ``box`` as the one to follow; an earlier target is forgotten.

        Args:
            frame: Shape (H, W, 3), BGR uint8. Grey and BGRA are converted.
            box: In pixels of the frame; the part outside it is cut off.

        Raises:
            InputError: Not a frame; a box that is empty, not finite or wholly outside; or one flat colour.
        """
        frame = as_bgr(frame)
        height, width = frame.shape[:2]
        _check_box(box, width, height)
        box = clip(box, width, height, self.settings.minimum_side_px)
        slots = range(self.model_spec.template_slots)
        window = self._template_window(box)
        crop = cut(frame, window, self.model_spec.padding_bgr)
        if is_flat(crop):
            raise InputError("the box shows one flat colour: there is nothing to follow")
        self.backend.encode_template(crop, window.extent(box), slots)
        self.template_crops = [crop for _ in slots]
        self.template_events.clear()
        self._box, self._frame_size, self._frame_index = box, (width, height), 0
        self._reach = Reach(self.settings.search)
        self._leap = Leap(self.settings.leap)
        self._store = self._open_store(frame, box)

    def update(self, frame: NDArray[Any]) -> Update:
        """Find the target in the next frame.

        While the confidence, if it is calibrated, is below ``uncertain_below``, the box stays: what hides a target
        scores too, a little, and would carry the box away from where the target comes out. A frame that shows
        nothing, or on which the network's answer is not finite, keeps the last box with confidence 0 and says why
        in ``note``.

        Args:
            frame: Of the size given to ``init``.

        Raises:
            UsageError: ``init`` was not called.
            InputError: Not a frame, or one of another size.
        """
        if self._box is None:
            raise UsageError("update before init: there is no target yet", hint="call init(frame, box) first")
        start = perf_counter()
        frame = as_bgr(frame)
        self._check_size(frame)
        self._frame_index += 1
        window = self._search_window(self._box)
        crop = self._cut_search(frame, window)
        cropped = perf_counter()
        if is_flat(crop):
            note = "the search window shows one flat colour"
            return self._without_evidence(self._box, note, start, cropped, cropped)
        maps = self.backend.infer(crop)
        inferred = perf_counter()
        last = window.extent(self._box)  # which is what the size map holds
        decoded = decode(maps, self._window, self.model_spec.search_size, last, self.settings.size_penalty)
        if decoded is None:
            return self._without_evidence(self._box, "the network's answer is not finite", start, cropped, inferred)
        decoded, last_box = self._back(decoded, maps, window, self._box)
        confidence = confidence_of(decoded.score, self.model_spec.confidence_scale, self.model_spec.confidence_shift)
        is_sure = confidence >= self.settings.uncertain_below
        is_seen = is_sure or not self.model_spec.is_calibrated
        if is_seen:
            before, self._box = self._box, self._place(window.to_frame(decoded.box), last_box)
            self._reach.saw(before, self._box)
            self._leap.saw(before, self._box)
        else:
            self._lost()
        placed = perf_counter()
        event = self._adapt(frame, self._box, maps, window, confidence)
        end = perf_counter()
        return Update(
            self._box,
            confidence,
            "TRACKING" if is_sure else "UNCERTAIN",
            _latency(start, cropped, inferred, placed, end),
            event,
        )

    def _without_evidence(self, last: Box, note: str, start: float, cropped: float, inferred: float) -> Update:
        self._lost()
        end = perf_counter()
        return Update(last, 0.0, "UNCERTAIN", _latency(start, cropped, inferred, end, end), note=note)

    def _lost(self) -> None:
        self._reach.lost()
        self._leap.lost()

    def _back(self, best: Decoded, maps: Maps, window: CropWindow, last: Box) -> tuple[Decoded, Box]:
        """What to follow, and the box whose size it goes on from: the last one, or the one left in a leap."""
        if (left := self._leap.left) is None:
            return best, last
        there = decode_near(maps, window.to_crop(left), self.model_spec.grid, self.model_spec.search_size)
        if there is None:
            # Whatever is followed has run away from there. A target that is merely fast does so within a few frames.
            self._leap.forget()
            return best, last
        return (there, left) if self._leap.is_back(there, best) else (best, last)

    def _place(self, found: Box, last: Box) -> Box:
        """What was found, no further from the last size than is believable, inside the frame."""
        box = follow_size(found, last, self.settings.size_rate)
        box = limit_growth(box, last, self.settings.maximum_growth)
        return clip(box, *self._frame_size, self.settings.minimum_side_px)

    def _open_store(self, frame: Frame, box: Box) -> TargetStore | None:
        """The store, with the first target's embedding read the way all later ones are: from a search crop."""
        if self.model_spec.template_slots < 2 or not self.settings.templates.is_enabled:
            return None
        window = self._search_window(box)
        maps = self.backend.infer(self._cut_search(frame, window))
        first = embed(tokens_under(maps.search_tokens, window.to_crop(box), self.model_spec.search_size))
        return TargetStore(self.settings.templates, first)

    def _adapt(self, frame: Frame, box: Box, maps: Maps, window: CropWindow, confidence: float) -> TemplateEvent | None:
        """Store a sure target; when an interval ends, let the store choose the second template."""
        if self._store is None:
            return None
        # After a leap it may be another object, which must not become the template.
        if self._store.wants(confidence) and self._leap.left is None:
            tokens = tokens_under(maps.search_tokens, window.to_crop(box), self.model_spec.search_size)
            patch = self._patches[self._stored_count % len(self._patches)]
            template = self._template_window(box)
            patch.take(frame, template, self._scratch)
            self._stored_count += 1
            self._store.add(StoredTarget(self._frame_index, confidence, patch, template.extent(box), tokens))
        if not self._store.is_due(self._frame_index):
            return None
        chosen, event = self._store.activate(self._frame_index)
        if chosen is not None:
            crop = chosen.patch.crop(self._scratch)
            self.backend.encode_template(crop, chosen.extent, [1])
            self.template_crops[1] = crop
        self.template_events.append(event)
        return event

    def _template_window(self, box: Box) -> CropWindow:
        cropping = self.model_spec.cropping
        return CropWindow.around(box, cropping.template_factor, self.model_spec.template_size, cropping.window)

    def _cut_search(self, frame: Frame, window: CropWindow) -> Frame:
        return cut(frame, window, self.model_spec.padding_bgr, out=self._search_crop, scratch=self._scratch)

    def _search_window(self, box: Box) -> CropWindow:
        cropping = self.model_spec.cropping
        factor = cropping.search_factor * self._reach.factor
        return CropWindow.around(self._reach.ahead(box), factor, self.model_spec.search_size, cropping.window)

    def _check_size(self, frame: Frame) -> None:
        width, height = self._frame_size
        if frame.shape[:2] != (height, width):
            raise InputError(
                f"the frame is {frame.shape[1]}x{frame.shape[0]}, the target was given on {width}x{height}",
                hint="scale frames to one size, or call init again on the new size",
            )


def _check_box(box: Box, width: int, height: int) -> None:
    if len(box) != 4 or not all(math.isfinite(value) for value in box):
        raise InputError(f"a box is four finite numbers (x, y, w, h), got {tuple(box)}")
    x, y, w, h = box
    if w <= 0 or h <= 0:
        raise InputError(f"the box is empty: w={w:g}, h={h:g}", hint="a box is x,y,w,h with the size in pixels")
    if x >= width or y >= height or x + w <= 0 or y + h <= 0:
        raise InputError(f"the box {x:g},{y:g},{w:g},{h:g} lies outside the frame, {width}x{height}")


def _latency(start: float, cropped: float, inferred: float, placed: float, end: float) -> Latency:
    times = (cropped - start, inferred - cropped, placed - inferred, end - placed, end - start)
    return Latency(*(1000 * seconds for seconds in times))
