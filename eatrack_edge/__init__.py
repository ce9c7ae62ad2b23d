"""Deep single-object tracking for drones.

>>> from eatrack_edge import Tracker  # doctest: +SKIP
>>> tracker = Tracker()  # doctest: +SKIP
>>> tracker.init(frame, (x, y, w, h))  # doctest: +SKIP
>>> tracker.update(next_frame).box  # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from eatrack_edge.tracking.tracker import Tracker as Tracker
    from eatrack_edge.tracking.tracker import Update as Update

__version__ = "0.1.0"
__all__ = ["Tracker", "Update", "__version__"]


def __getattr__(name: str) -> Any:
    # Late, so that `eatrack-edge --help` does not pay for numpy and OpenCV.
    if name in ("Tracker", "Update"):
        return getattr(import_module("eatrack_edge.tracking.tracker"), name)
    raise AttributeError(f"module 'eatrack_edge' has no attribute {name!r}")
