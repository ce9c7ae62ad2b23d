"""Deep single-object tracking for drones. Nothing but the names below is promised to stay.

>>> from eatrack_edge import Tracker, open_source
>>> with open_source("test://?frames=3&width=320&height=240") as source, Tracker() as tracker:  # doctest: +SKIP
...     for item in source:
...         if item.index == 0:
...             tracker.init(item.frame, item.truth)
...         else:
...             print(tracker.update(item.frame).box)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from eatrack_edge.core.errors import CheckpointError as CheckpointError
    from eatrack_edge.core.errors import ConfigError as ConfigError
    from eatrack_edge.core.errors import EATrackError as EATrackError
    from eatrack_edge.core.errors import EngineMismatch as EngineMismatch
    from eatrack_edge.core.errors import GateFailed as GateFailed
    from eatrack_edge.core.errors import InputError as InputError
    from eatrack_edge.core.errors import MachineError as MachineError
    from eatrack_edge.core.errors import MissingExtra as MissingExtra
    from eatrack_edge.core.errors import OutputError as OutputError
    from eatrack_edge.core.errors import SourceLost as SourceLost
    from eatrack_edge.core.errors import UsageError as UsageError
    from eatrack_edge.extend import register_backend as register_backend
    from eatrack_edge.extend import register_baseline as register_baseline
    from eatrack_edge.extend import register_dataset as register_dataset
    from eatrack_edge.extend import register_model as register_model
    from eatrack_edge.extend import register_motion_model as register_motion_model
    from eatrack_edge.extend import register_output as register_output
    from eatrack_edge.extend import register_refinement as register_refinement
    from eatrack_edge.extend import register_source as register_source
    from eatrack_edge.extend import register_template_policy as register_template_policy
    from eatrack_edge.outputs.base import RunInfo as RunInfo
    from eatrack_edge.outputs.registry import open_output as open_output
    from eatrack_edge.sources.registry import open_source as open_source
    from eatrack_edge.tracking.lifecycle import StateChange as StateChange
    from eatrack_edge.tracking.lifecycle import TrackState as TrackState
    from eatrack_edge.tracking.reacquisition import Candidate as Candidate
    from eatrack_edge.tracking.result import TrackResult as TrackResult
    from eatrack_edge.tracking.settings import LifecycleSettings as LifecycleSettings
    from eatrack_edge.tracking.settings import MotionSettings as MotionSettings
    from eatrack_edge.tracking.settings import ReacquisitionSettings as ReacquisitionSettings
    from eatrack_edge.tracking.settings import RecoverySettings as RecoverySettings
    from eatrack_edge.tracking.settings import RefinementSettings as RefinementSettings
    from eatrack_edge.tracking.settings import TemplateSettings as TemplateSettings
    from eatrack_edge.tracking.settings import TrackerSettings as TrackerSettings
    from eatrack_edge.tracking.tracker import Tracker as Tracker

__version__ = "0.2.0"

# Where each public name lives. They are imported on demand, so `eatrack-edge --help` does not pay for numpy and OpenCV.
_HOMES = {
    "core.errors": (
        *("EATrackError", "UsageError", "InputError", "ConfigError", "CheckpointError", "MachineError"),
        *("MissingExtra", "EngineMismatch", "OutputError", "GateFailed", "SourceLost"),
    ),
    "extend": (
        *("register_source", "register_output", "register_backend", "register_dataset", "register_baseline"),
        *("register_model", "register_template_policy", "register_motion_model", "register_refinement"),
    ),
    "outputs.base": ("RunInfo",),
    "outputs.registry": ("open_output",),
    "sources.registry": ("open_source",),
    "tracking.lifecycle": ("TrackState", "StateChange"),
    "tracking.reacquisition": ("Candidate",),
    "tracking.result": ("TrackResult",),
    "tracking.settings": (
        *("TrackerSettings", "MotionSettings", "RecoverySettings", "TemplateSettings"),
        *("LifecycleSettings", "ReacquisitionSettings", "RefinementSettings"),
    ),
    "tracking.tracker": ("Tracker",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}
__all__ = ["__version__", *_HOME_OF]  # pyright: ignore[reportUnsupportedDunderAll]


def __dir__() -> list[str]:
    """The public surface: what ``help`` and completion show."""
    return sorted(__all__)


def __getattr__(name: str) -> Any:
    if name in _HOME_OF:
        return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
