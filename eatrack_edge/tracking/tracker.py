"""The tracker: ``init`` with a box, then ``update`` with every frame. It only orchestrates the parts in this folder."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any

from numpy.typing import NDArray

from eatrack_edge.core.boxes import Box, check_box, clip
from eatrack_edge.core.crops import Frame, Scratch
from eatrack_edge.core.errors import InputError, UsageError
from eatrack_edge.core.frames import as_bgr
from eatrack_edge.core.resources import DEFAULT_MODEL
from eatrack_edge.core.verifier_model import VerifierModel
from eatrack_edge.inference.backend import Backend
from eatrack_edge.inference.registry import Choice, choose_backend
from eatrack_edge.tracking.proposal import propose_box
from eatrack_edge.tracking.refinement import open_refinement
from eatrack_edge.tracking.result import Stopwatch, TrackResult
from eatrack_edge.tracking.settings import TrackerSettings
from eatrack_edge.tracking.sight import Looker
from eatrack_edge.tracking.step import Step, follow, search
from eatrack_edge.tracking.target import Target
from eatrack_edge.tracking.templates import TemplateEvent, Templates


class Tracker:
    """Tracks one target. Use it from one thread at a time; ``close`` it, or use it in a ``with``, to free the backend.

    Args:
        model: A bundled model's name, an exported file or folder, engines, or a backend that is already open.
        backend: A name in ``inference.registry.BACKENDS``, or ``auto`` for the best that opens; ``choice`` says why.
        threads: Threads of one inference, on a CPU.
        settings: See ``TrackerSettings``; the defaults serve every video.

    Raises:
        UsageError: No such model, backend, template policy, motion model or refinement.
        MachineError: The backend lacks something on this machine, its package perhaps.
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
        self._owns_backend = isinstance(model, (str, Path))
        self.choice = choose_backend(model, backend, threads) if isinstance(model, (str, Path)) else Choice(model)
        self.backend = self.choice.backend
        self.model_spec = self.backend.model_spec
        self._verifier_model = VerifierModel.from_text(self.model_spec.verifier, f"metadata of {self.model_spec.model}")
        self._scratch = Scratch()  # a long flight allocates nothing
        self.templates = Templates(self.backend, self.settings.templates, self._scratch)
        self.template_events = self.templates.events  # the newest decisions about the second template
        self.refinement = open_refinement(self.settings.refinement, self.backend, threads)
        self._looker = Looker(self.backend, self.settings.size_penalty)
        self._target: Target | None = None
        self._is_closed = False

    def init(self, frame: NDArray[Any], box: Box) -> None:
        """Track the target in ``box``. If this raises, an earlier target is still tracked as before.

        Args:
            frame: Shape (H, W, 3), BGR uint8. Grey and BGRA are converted.
            box: (x, y, w, h) in pixels of the frame; the part outside it is cut off.

        Raises:
            UsageError: The tracker is closed.
            InputError: Not a frame; a box that is empty, not finite or mostly outside; or one flat colour.
        """
        self._check_open()
        frame = as_bgr(frame)
        height, width = frame.shape[:2]
        box = clip(check_box(box, width, height), width, height, self.settings.minimum_side_px)
        template = self.templates.cut(frame, box)
        target = Target(box, (width, height), self.settings, self.model_spec, self._verifier_model, self._scratch)
        self.templates.start(template, lambda: target.start(frame, self.backend))
        self.refinement.start(template.crop)
        self._target = target

    def update(self, frame: NDArray[Any]) -> TrackResult:
        """Find the target in the next frame.

        While a calibrated confidence is below ``minimum_confidence`` the box stays, unless the target is still known in
        its place: whatever hides the target scores a little too, and would drag the box away from where the target
        reappears. A frame that shows nothing, or for which the network's output is not finite, keeps the last box with
        confidence 0 and says why in ``note``.

        Args:
            frame: Of the size given to ``init``.

        Raises:
            UsageError: ``init`` was not called, or the tracker is closed.
            InputError: Not a frame, or one of another size.
        """
        target, watch = self._tracked("update"), Stopwatch()
        frame = as_bgr(frame)
        _check_size(frame, target.frame_size)
        target.next_frame(frame)
        if target.reacquisition.is_on:
            step = search(frame, target, self._looker, self.refinement, watch)
        else:
            step = follow(frame, target, self._looker, self.refinement, self.settings, watch)
        event = self.templates.adapt(frame, target, step)
        watch.lap("template")
        return _result(target, step, watch, event)

    def bridge(self, frames: Iterable[NDArray[Any]]) -> None:
        """Follow the target through frames for which there is no time, at a hundredth of the time of ``update``.

        The next ``update`` looks where what the box shows went; the box returns if the target is not found there.

        Args:
            frames: The one given last, those that are skipped, and the one that ``update`` is given next; uint8, shape
                (H, W, 3) BGR or (H, W) grey. It ends at one of another size, and where nothing is like the box.

        Raises:
            UsageError: ``init`` was not called, or the tracker is closed.
            InputError: Not a frame.
        """
        self._tracked("bridge").bridge(frames)

    def propose(self, frame: NDArray[Any], x: float, y: float) -> Box:
        """Propose the box, for ``init``, of what lies under a point, such as a click.

        Args:
            frame: Shape (H, W, 3), BGR uint8.
            x: Of the point, pixels of the frame.
            y: The same.

        Raises:
            UsageError: The tracker is closed.
            InputError: Not a frame, or the point lies outside it.
        """
        self._check_open()
        return propose_box(as_bgr(frame), x, y)

    def restore_template(self, number: int) -> None:
        """Show an earlier template in the second slot again, until the policy replaces it by what it sees from now on.

        Args:
            number: ``Template.number`` of one in ``templates``; 0 is the first.

        Raises:
            UsageError: There is none of this number, no target, no second slot, or the tracker is closed.
        """
        self._check_open()
        self.templates.restore(number, 0 if self._target is None else self._target.frame_index)

    def close(self) -> None:
        """Free the backend if the tracker opened it. A second call does nothing."""
        if self._owns_backend and not self._is_closed:
            self.backend.close()
        self._is_closed = True

    def _tracked(self, call: str) -> Target:
        self._check_open()
        if self._target is None:
            raise UsageError(f"{call} before init: there is no target yet", hint="call init(frame, box) first")
        return self._target

    def _check_open(self) -> None:
        if self._is_closed:
            raise UsageError("the tracker is closed", hint="open a new one: Tracker(...)")

    def __enter__(self) -> Tracker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _result(target: Target, step: Step, watch: Stopwatch, event: TemplateEvent | None) -> TrackResult:
    state = target.lifecycle.state
    last_seen = None if state.is_target_visible else target.reported(target.last_reliable_box)
    box, notes = target.reported(target.box), (event, step.note, step.change)
    return TrackResult(box, step.confidence, state, watch.latency(), *notes, last_seen, target.candidates)


def _check_size(frame: Frame, frame_size: tuple[int, int]) -> None:
    width, height = frame_size
    if frame.shape[:2] != (height, width):
        raise InputError(
            f"the frame is {frame.shape[1]}x{frame.shape[0]}, the target was given on {width}x{height}",
            hint="scale frames to one size, or call init again on the new size",
        )
