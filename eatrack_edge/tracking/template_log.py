"""The log of templates: what each one showed, from when, and why, so that a bad one can be taken back."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from eatrack_edge.core.crops import Frame
from eatrack_edge.core.errors import UsageError

_KEPT = 31  # of the newest, beside the first: 1.5 MB at 128 px, however long the flight


class Template(NamedTuple):
    """What a template slot shows, or showed.

    Attributes:
        crop: Shape (Z, Z, 3), BGR; small enough to be shown to a person as it is.
        extent: Width and height of the target's box as fractions of the crop.
        number: Counted from the first template, 0; it stays the same while the template is in the log.
        frame_index: Frame that it shows; 0 is that of ``init``.
        reason: Why it became a template, in words.
        confidence: Of that frame; ``nan`` of the first.
        similarity: Cosine to the first target.
    """

    crop: Frame
    extent: tuple[float, float]
    number: int = 0
    frame_index: int = 0
    reason: str = "given to init"
    confidence: float = math.nan
    similarity: float = 1.0


class TemplateLog:
    """The first template of a target and the newest others; empty before the first target."""

    def __init__(self) -> None:
        self.next_number = 0  # of the template that comes next
        self._first: Template | None = None
        self._newest: deque[Template] = deque(maxlen=_KEPT)

    def start(self, first: Template) -> None:
        """Begin with the first template of a new target."""
        self._first, self.next_number = first, 1
        self._newest.clear()

    def append(self, template: Template) -> None:
        """Add a template whose number is ``next_number``; beyond 32 the oldest but the first is dropped."""
        self._newest.append(template)
        self.next_number += 1

    def find(self, number: int) -> Template:
        """The template with a number.

        Raises:
            UsageError: The log does not hold it.
        """
        for template in self:
            if template.number == number:
                return template
        numbers = ", ".join(str(template.number) for template in self)
        raise UsageError(f"there is no template {number}", hint=f"the log holds {numbers or 'none yet'}")

    def __iter__(self) -> Iterator[Template]:
        if self._first is not None:
            yield self._first
            yield from self._newest

    def __len__(self) -> int:
        return (self._first is not None) + len(self._newest)
