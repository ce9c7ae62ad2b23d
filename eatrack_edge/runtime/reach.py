"""How far the search reaches: as trained while the target is seen, wider while it is not."""

from __future__ import annotations

from eatrack_edge.runtime.settings import SearchSettings


class Reach:
    """A factor on the side of the search crop, from how long the target has not been seen.

    Attributes:
        factor: At least 1; 1 while the target is seen.
    """

    def __init__(self, settings: SearchSettings) -> None:
        self.factor = 1.0
        self._settings = settings
        self._unseen = 0

    def saw(self, is_sure: bool) -> None:
        """Count a frame on which the target was seen, or was not."""
        if is_sure:
            self.factor, self._unseen = 1.0, 0
            return
        self._unseen += 1
        if self._unseen >= self._settings.widen_after:
            self.factor = min(self._settings.widest, self.factor * self._settings.widen_by)
