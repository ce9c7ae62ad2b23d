"""Which outputs of ``eatrack-edge fly`` failed: the flight goes on without them, and its end says so."""

from __future__ import annotations

from eatrack_edge.core.errors import OutputError
from eatrack_edge.session.events import Event, OutputFailedEvent


class FailedOutputs:
    """The outputs that failed for good; a listener.

    Attributes:
        reasons: Why, in words, by the output's name.
    """

    def __init__(self) -> None:
        self.reasons: dict[str, str] = {}

    def offer(self, event: Event) -> None:
        """Note a failure; one after which the output tries again is none."""
        if isinstance(event, OutputFailedEvent) and event.is_final:
            self.add(event.output, event.reason)

    def add(self, name: str, reason: str) -> None:
        """Note that an output failed; its first reason counts."""
        self.reasons.setdefault(name, reason)

    def has(self, path: str) -> bool:
        """Whether a file is incomplete, or a part of a recording's folder."""
        return any(name in self.reasons for name in (path, f"{path} video", f"{path} log"))

    def check(self) -> None:
        """See that none failed.

        Raises:
            OutputError: One did.
        """
        if self.reasons:
            texts = [
                reason if reason.startswith(name) else f"{name}: {reason}" for name, reason in self.reasons.items()
            ]
            raise OutputError(
                f"not every output is complete: {'; '.join(texts)}",
                hint="free some space, or write to another disk, where that is the reason",
            )
