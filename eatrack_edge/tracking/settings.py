"""What a user may change about tracking, with one default for every video."""

from __future__ import annotations

from dataclasses import dataclass, field

from eatrack_edge.core.errors import ConfigError


@dataclass(frozen=True, slots=True)
class TemplateSettings:
    """When the second template is replaced (EATrack, section 3.3; the paper gives no values)."""

    is_enabled: bool = True  # False: the first template fills every slot for good
    store_above: float = 0.7  # confidence from which a frame's target is stored; SUTrack's published 0.70
    interval: int = 25  # frames between activations; SUTrack's published 25
    capacity: int = 10  # targets kept, the oldest leaves first
    # Cosine to the first target below which a representative is refused: it may be another object.
    minimum_similarity: float = 0.5

    def __post_init__(self) -> None:
        if self.interval < 1 or self.capacity < 1:
            raise ConfigError(f"interval and capacity must be at least 1, got {self.interval} and {self.capacity}")


@dataclass(frozen=True, slots=True)
class SearchSettings:
    """Where to look: ahead of a target that moves, if asked to, and wider for one that something hides."""

    # Share of what the last two displacements have in common that is expected again; 0 looks where the target was.
    # 0.8 helps much where a target passes a good part of its side from frame to frame (a third of the development
    # videos' frames: 0.53 against 0.46), and costs a video now and then where it does not (0.63 against 0.66).
    follow_motion: float = 0.0
    widen_after: int = 3  # frames in a row below `uncertain_below` before the search crop grows
    widen_by: float = 1.15  # factor of the crop's side on each further such frame
    # Largest factor; 1.0 never widens. Training shows targets down to exp(-0.6) = 1 / 1.8 of their nominal size.
    widest: float = 1.7

    def __post_init__(self) -> None:
        if not 0 <= self.follow_motion <= 1:
            raise ConfigError(f"follow_motion must be at least 0 and at most 1, got {self.follow_motion}")
        if self.widen_after < 1:
            raise ConfigError(f"widen_after must be at least 1, got {self.widen_after}")
        if self.widen_by < 1 or self.widest < 1:
            raise ConfigError(f"widen_by and widest must be at least 1, got {self.widen_by} and {self.widest}")


@dataclass(frozen=True, slots=True)
class LeapSettings:
    """When a box that leapt goes back: it may have leapt to a neighbour while something hid the target."""

    # By so many sides of the box, along either axis, a step differs from the one before to be a leap.
    sides: float = 0.7
    frames: int = 25  # for so long the place that it left is watched; 0 never goes back

    def __post_init__(self) -> None:
        if self.sides <= 0:
            raise ConfigError(f"a leap's sides must be above 0, got {self.sides}")
        if self.frames < 0:
            raise ConfigError(f"a leap's frames must be at least 0, got {self.frames}")


@dataclass(frozen=True, slots=True)
class TrackerSettings:
    """How maps become a box, and how far a box may go."""

    minimum_side_px: float = 2.0  # smallest box side; OSTrack's 10 px inflates the small targets drones see
    maximum_growth: float = 2.0  # most that a side may grow or shrink in one frame, as a factor
    uncertain_below: float = 0.3  # confidence below which the state is UNCERTAIN and the box stays where it was
    size_penalty: float = 0.08  # how much a sudden change of size or shape speaks against a cell; 0 ignores it
    size_rate: float = 0.6  # share of a change of size that is believed at once; 1 believes it all
    search: SearchSettings = field(default_factory=SearchSettings)
    leap: LeapSettings = field(default_factory=LeapSettings)
    templates: TemplateSettings = field(default_factory=TemplateSettings)

    def __post_init__(self) -> None:
        if self.minimum_side_px <= 0:
            raise ConfigError(f"minimum_side_px must be above 0, got {self.minimum_side_px}")
        if self.maximum_growth <= 1:
            raise ConfigError(f"maximum_growth must be above 1, got {self.maximum_growth}")
        if self.size_penalty < 0:
            raise ConfigError(f"size_penalty must be at least 0, got {self.size_penalty}")
        if not 0 < self.size_rate <= 1:
            raise ConfigError(f"size_rate must be above 0 and at most 1, got {self.size_rate}")
