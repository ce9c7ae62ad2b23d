"""What each template slot shows, and how the second one is adapted to the target over time.

The first template is never replaced, so a drift can be undone. Which later crop becomes the second one is decided by a
template policy; adding one is a class with the four methods of ``TemplatePolicy`` and a line in ``TEMPLATE_POLICIES``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from eatrack_edge.core.boxes import Box
from eatrack_edge.core.crops import CropWindow, Frame, Patch, Scratch, cut
from eatrack_edge.core.errors import InputError, UsageError
from eatrack_edge.core.frames import is_flat
from eatrack_edge.core.registry import Registry
from eatrack_edge.inference.backend import Backend
from eatrack_edge.tracking.embedding import Embedding, embed, tokens_under
from eatrack_edge.tracking.settings import TemplateSettings
from eatrack_edge.tracking.template_log import Template, TemplateLog

if TYPE_CHECKING:
    from eatrack_edge.tracking.sight import Sight
    from eatrack_edge.tracking.step import Step
    from eatrack_edge.tracking.target import Target

_EVENTS_KEPT = 256  # the newest decisions; a long flight must not grow


class StoredTarget(NamedTuple):
    """The target as one frame showed it."""

    frame_index: int
    confidence: float
    patch: Patch  # of the frame, to be cropped and encoded if it is chosen
    extent: tuple[float, float]  # width and height of the box as fractions of that crop
    tokens: NDArray[np.float32]  # (dim,), the sum of those under the box

    @property
    def embedding(self) -> Embedding:
        """At unit length, shape (dim,); made only when targets are compared."""
        return embed(self.tokens)


class TemplateEvent(NamedTuple):
    """A decision about the second template."""

    frame_index: int  # at which it was made
    is_replaced: bool  # the second template is another one now
    reason: str  # in words, for the log
    source_index: int | None = None  # frame that the candidate shows
    confidence: float | None = None  # of that frame
    similarity: float | None = None  # cosine of the candidate to the first target


class TemplatePolicy(Protocol):
    """Chooses the second template. A new one is made at each ``init``, from the settings."""

    def start(self, first: Embedding) -> None:
        """Begin with a new target.

        Args:
            first: The target's embedding in the first frame.
        """
        ...

    def wants(self, confidence: float) -> bool:
        """Whether a frame with this confidence is to be given to ``add``."""
        ...

    def add(self, target: StoredTarget) -> None:
        """Take the target as a frame showed it."""
        ...

    def decide(self, frame_index: int) -> tuple[StoredTarget | None, TemplateEvent | None]:
        """Decide after a frame.

        Args:
            frame_index: Frames since ``init``.

        Returns:
            The target whose crop becomes the second template, ``None`` to keep the one there is; and the decision,
            ``None`` on a frame without one.
        """
        ...


class FirstOnly:
    """Never replaces a template: the first one fills every slot."""

    def __init__(self, settings: TemplateSettings) -> None:
        del settings

    def start(self, first: Embedding) -> None:
        """Nothing to prepare."""

    def wants(self, confidence: float) -> bool:
        """Never."""
        del confidence
        return False

    def add(self, target: StoredTarget) -> None:
        """Nothing to keep."""

    def decide(self, frame_index: int) -> tuple[None, None]:
        """Nothing to decide."""
        del frame_index
        return None, None


TEMPLATE_POLICIES: Registry[Callable[[TemplateSettings], TemplatePolicy]] = Registry(
    "template policy",
    {
        "medoid": "eatrack_edge.tracking.target_store:TargetStore",
        "first_only": "eatrack_edge.tracking.templates:FirstOnly",
    },
)


class Templates:
    """The template slots of one tracker, and the log of what they showed.

    ``for template in templates`` goes through that log, the first template first.

    Args:
        backend: Encodes them and keeps their tokens.
        settings: Which policy, and its values.
        scratch: Memory for steps in between.

    Attributes:
        shown: What each slot shows; empty before the first target.
        events: The newest decisions.
        log: What the slots showed.
    """

    def __init__(self, backend: Backend, settings: TemplateSettings, scratch: Scratch) -> None:
        self.shown: list[Template] = []
        self.log = TemplateLog()
        self.events: deque[TemplateEvent] = deque(maxlen=_EVENTS_KEPT)
        self._backend = backend
        self._settings = settings
        self._scratch = scratch
        self._make_policy = TEMPLATE_POLICIES.get(settings.policy)
        self._policy: TemplatePolicy = FirstOnly(settings)
        self._first: Embedding = np.zeros(0, np.float32)
        padding = backend.model_spec.padding_bgr
        # Used in turn: a policy drops the oldest target before its patch is used again.
        self._patches = [Patch(padding) for _ in range(settings.capacity)]
        self._stored_count = 0

    def __iter__(self) -> Iterator[Template]:
        return iter(self.log)

    def __len__(self) -> int:
        return len(self.log)

    @property
    def crops(self) -> list[Frame]:
        """What each slot shows, shape (Z, Z, 3) each."""
        return [template.crop for template in self.shown]

    def cut(self, frame: Frame, box: Box) -> Template:
        """The template of a target.

        Raises:
            InputError: The crop shows one flat colour.
        """
        window = self._window(box)
        crop = cut(frame, window, self._backend.model_spec.padding_bgr)
        if is_flat(crop):
            raise InputError("the box shows one flat colour: there is nothing to follow")
        return Template(crop, window.extent(box))

    def start(self, template: Template, look: Callable[[], Embedding]) -> None:
        """Begin with a new target. If this fails, the old target's templates are what they were.

        Args:
            template: Of the new target, for every slot.
            look: Looks at the first frame with this template; gives the target's embedding there.
        """
        slots = range(self._backend.model_spec.template_slots)
        policy = self._make_policy(self._settings) if len(slots) > 1 else FirstOnly(self._settings)
        try:
            self._backend.encode_template(template.crop, template.extent, slots)
            first = look()
            policy.start(first)
        except BaseException:
            for slot, old in enumerate(self.shown):
                self._backend.encode_template(old.crop, old.extent, [slot])
            raise
        self._policy, self._first, self.shown = policy, first, [template for _ in slots]
        self.log.start(template)
        self.events.clear()

    def adapt(self, frame: Frame, target: Target, step: Step) -> TemplateEvent | None:
        """Show the policy a frame, let it decide, and encode what it chose.

        Args:
            frame: The frame.
            target: As it was found in the frame.
            step: What the frame showed.

        Returns:
            The decision; ``None`` on a frame without one.
        """
        if step.sight is not None and target.may_be_learned and self._policy.wants(step.confidence):
            self._store(frame, target, step.sight, step.confidence)
        return self.decide(target.frame_index)

    def decide(self, frame_index: int) -> TemplateEvent | None:
        """Let the policy decide, and encode what it chose. Needs nothing of the frame, which may show nothing.

        Args:
            frame_index: Frames since ``init``.

        Returns:
            The decision; ``None`` on a frame without one.
        """
        chosen, event = self._policy.decide(frame_index)
        if chosen is not None:
            template = Template(chosen.patch.crop(self._scratch), chosen.extent, self.log.next_number)
            template = template._replace(frame_index=chosen.frame_index, confidence=chosen.confidence)
            if event is not None:
                similarity = template.similarity if event.similarity is None else event.similarity
                template = template._replace(reason=event.reason, similarity=similarity)
            self._show(template)
            self.log.append(template)
        if event is not None:
            self.events.append(event)
        return event

    def restore(self, number: int, frame_index: int) -> TemplateEvent:
        """Show an earlier template in the second slot again. What the policy has stored since is dropped.

        Args:
            number: Of the template, see ``Template``.
            frame_index: Frames since ``init``.

        Returns:
            The decision, for the log of events.

        Raises:
            UsageError: The log does not hold it, or there is no second slot.
        """
        if len(self.shown) < 2:
            raise UsageError("there is no second template to replace: the model has one slot, or `init` was not called")
        template = self.log.find(number)
        policy = self._make_policy(self._settings)
        policy.start(self._first)
        self._show(template)
        self._policy = policy
        reason = f"restored template {number}, of frame {template.frame_index}"
        event = TemplateEvent(frame_index, True, reason, template.frame_index, template.confidence, template.similarity)
        self.events.append(event)
        return event

    def _show(self, template: Template) -> None:
        """Show a template in the second slot; the first one is never replaced."""
        self._backend.encode_template(template.crop, template.extent, [1])
        self.shown[1] = template

    def _store(self, frame: Frame, target: Target, sight: Sight, confidence: float) -> None:
        window = sight.window
        tokens = tokens_under(sight.maps.search_tokens, window.to_crop(target.box), window.out_size)
        patch = self._patches[self._stored_count % len(self._patches)]
        crop_window = self._window(target.box)
        patch.take(frame, crop_window, self._scratch)
        self._stored_count += 1
        self._policy.add(StoredTarget(target.frame_index, confidence, patch, crop_window.extent(target.box), tokens))

    def _window(self, box: Box) -> CropWindow:
        spec = self._backend.model_spec
        return CropWindow.around(box, spec.cropping.template_factor, spec.template_size, spec.cropping.window)
