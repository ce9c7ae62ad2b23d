"""What a user may change about tracking, with one default for every video."""

from __future__ import annotations

from dataclasses import dataclass, field

from eatrack_edge.errors import ConfigError


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
class TrackerSettings:
    """How maps become a box, and how far a box may go."""

    minimum_side_px: float = 2.0  # smallest box side; OSTrack's 10 px inflates the small targets drones see
    maximum_growth: float = 2.0  # most that a side may grow or shrink in one frame, as a factor
    uncertain_below: float = 0.3  # confidence below which the state is UNCERTAIN
    templates: TemplateSettings = field(default_factory=TemplateSettings)

    def __post_init__(self) -> None:
        if self.minimum_side_px <= 0:
            raise ConfigError(f"minimum_side_px must be above 0, got {self.minimum_side_px}")
        if self.maximum_growth <= 1:
            raise ConfigError(f"maximum_growth must be above 1, got {self.maximum_growth}")
