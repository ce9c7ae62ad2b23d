"""The tracker's templates as viewers see them: read in the session's thread, shown in the server's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

from eatrack_edge.core.crops import Frame
from eatrack_edge.ground.web.telemetry import finite
from eatrack_edge.tracking.template_log import Template


class TemplateSource(Protocol):
    """What is needed of ``Tracker.templates``."""

    @property
    def shown(self) -> Sequence[Template]:
        """What each slot shows."""
        ...

    def __iter__(self) -> Iterator[Template]:
        """The templates that can be restored, the first one first."""
        ...


class _Held(NamedTuple):
    """The templates of one moment.

    Attributes:
        target: Counted with each new target: numbers of templates begin anew with it.
        templates: Those that can be restored.
        slots: Number of the template in each slot.
    """

    target: int = 0
    templates: tuple[Template, ...] = ()
    slots: tuple[int, ...] = ()


class HeldTemplates:
    """Follows the tracker's templates.

    Args:
        source: ``Tracker.templates``; ``None`` shows none.

    Attributes:
        version: Counted with each change, so that a page knows when to ask again.
    """

    def __init__(self, source: TemplateSource | None) -> None:
        self._source, self._held, self.version = source, _Held(), 0

    def read(self, *, is_new_target: bool = False) -> None:
        """Look for a change, in the session's thread. Crops are not copied: the tracker makes new ones."""
        if self._source is None:
            return
        held = self._held
        target = held.target + is_new_target
        now = _Held(target, tuple(self._source), tuple(template.number for template in self._source.shown))
        if is_new_target or (_numbers(now), now.slots) != (_numbers(held), held.slots):
            self._held = now
            self.version += 1

    @property
    def count(self) -> int:
        """Templates that can be restored."""
        return len(self._held.templates)

    def table(self) -> dict[str, object]:
        """The templates without their pictures, as JSON holds them."""
        version, held = self.version, self._held
        rows = [
            {
                "number": template.number,
                "frame_index": template.frame_index,
                "confidence": finite(template.confidence),
                "similarity": finite(template.similarity),
                "reason": template.reason,
            }
            for template in held.templates
        ]
        return {"version": version, "target": held.target, "slots": held.slots, "templates": rows}

    def crop(self, number: int) -> Frame | None:
        """The picture of a template, BGR; ``None`` where it is not held."""
        found = (template.crop for template in self._held.templates if template.number == number)
        return next(found, None)

    def refuse(self, target: int, number: int) -> str:
        """Why a template cannot be restored; empty where it may be."""
        if target != self._held.target:
            return "this template is of an earlier target"
        return "" if self.crop(number) is not None else f"template {number} is not held any more"


def _numbers(held: _Held) -> tuple[int, ...]:
    return tuple(template.number for template in held.templates)
