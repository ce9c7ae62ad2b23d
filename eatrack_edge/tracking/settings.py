"""What a user may change about tracking, with one default for every video."""

from __future__ import annotations

from dataclasses import dataclass, field

from eatrack_edge.core.ranges import check_ranges


@dataclass(frozen=True, slots=True)
class TemplateSettings:
    """When the second template is replaced (EATrack, section 3.3; the paper gives no values)."""

    policy: str = "medoid"  # a name in `tracking.templates.TEMPLATE_POLICIES`; "first_only" never replaces a template
    minimum_confidence: float = 0.7  # confidence from which a frame's target is stored; SUTrack's published 0.70
    interval: int = 25  # frames between decisions; SUTrack's published 25
    capacity: int = 10  # stored targets; the oldest is dropped first
    # Cosine to the first target below which a candidate is rejected: it may be another object.
    minimum_similarity: float = 0.5

    def __post_init__(self) -> None:
        check_ranges(
            self,
            {
                "minimum_confidence": "[0, 1]",
                "interval": "[1, inf)",
                "capacity": "[1, inf)",
                "minimum_similarity": "[-1, 1]",
            },
        )


@dataclass(frozen=True, slots=True)
class MotionSettings:
    """Where the target is expected in the next frame."""

    # A name in `tracking.motion.MOTION_MODELS`. "static" expects it at its last box. "common_velocity" helps where a
    # target passes a good part of its side from frame to frame (every third frame of the 14 development videos:
    # success AUC 0.53 against 0.46), and sometimes loses a video where it does not (all frames: 0.63 against 0.66).
    model: str = "static"
    gain: float = 0.8  # share of the predicted step that is applied, [0, 1]

    def __post_init__(self) -> None:
        check_ranges(self, {"gain": "[0, 1]"})


@dataclass(frozen=True, slots=True)
class RecoverySettings:
    """When the tracker returns to the last reliable box after a jump to a possible distractor."""

    # A step is a jump when it differs from the step before by so many sides of the box, along either axis.
    jump_sides: float = 0.7
    watch_frames: int = 25  # frames for which the last reliable box is watched; 0 never returns

    def __post_init__(self) -> None:
        check_ranges(self, {"jump_sides": "(0, inf)", "watch_frames": "[0, inf)"})


@dataclass(frozen=True, slots=True)
class LifecycleSettings:
    """When the state changes. Times are in frames, because a tracker is not told at which rate they come."""

    # Confidence from which an UNCERTAIN target is TRACKING again; above `minimum_confidence`, so that a confidence
    # about that does not make the state flicker.
    resume_confidence: float = 0.5
    lost_after: int = 8  # frames without the target before it is LOST: 0.8 s at 10 frames/s, 0.3 s at 30

    def __post_init__(self) -> None:
        check_ranges(self, {"resume_confidence": "[0, 1]", "lost_after": "[1, inf)"})


@dataclass(frozen=True, slots=True)
class ReacquisitionSettings:
    """How a target is looked for after a loss or a cut, and when it is claimed again."""

    inferences_per_frame: int = 2  # while it is looked for: with 2 the loop keeps half its rate
    verification_frames: int = 4  # in which a candidate is looked at; the verifier's answers are averaged
    minimum_log_odds: float = 1.5  # of that mean, from which the best candidate is the target
    # After a cut to a scene that is not recognised the target is less likely to be there at all, so it takes more: a
    # clear mean, or one that is likely in more frames.
    minimum_log_odds_after_cut: float = 3.0
    long_verification_frames: int = 8
    long_minimum_log_odds: float = 2.0
    log_odds_margin: float = 1.0  # by which it has to be above the second best
    # In a scene that is surely the one in which it was tracked, less is enough if everything else that was looked at
    # there is less likely by so much.
    scene_minimum_log_odds: float = 0.5
    scene_margin: float = 2.0
    probation_frames: int = 15  # after that, in which it is taken back when the mean falls below 0
    # Nearby: a target that is back within so many sides, 2 search regions, is looked for; beyond them it is not.
    near_sides: float = 8.0
    search_scale: float = 1.6  # of most search regions, so that a few cover the neighbourhood

    def __post_init__(self) -> None:
        check_ranges(
            self,
            {
                "inferences_per_frame": "[2, inf)",
                "verification_frames": "[1, inf)",
                "minimum_log_odds": "(-inf, inf)",
                "minimum_log_odds_after_cut": "(-inf, inf)",
                "long_verification_frames": "[1, inf)",
                "long_minimum_log_odds": "(-inf, inf)",
                "log_odds_margin": "[0, inf)",
                "scene_minimum_log_odds": "(-inf, inf)",
                "scene_margin": "[0, inf)",
                "probation_frames": "[0, inf)",
                "near_sides": "[0, inf)",
                "search_scale": "[1, inf)",
            },
        )


@dataclass(frozen=True, slots=True)
class RefinementSettings:
    """How a second network's box is taken into account."""

    # "auto", or a name in `tracking.refinement.REFINEMENTS`. "auto" is "vittrack" beside a model that runs on the CPU
    # with crops as VitTrack was trained with, and "off" elsewhere.
    policy: str = "auto"
    interval: int = 2  # frames from one look to the next; between them the latest change is applied
    share: float = 0.5  # share of the way to the second network's box that ours goes; the sides go it in the log
    minimum_side_px: float = 20.0  # shorter side of the box below which there is no second look

    def __post_init__(self) -> None:
        check_ranges(self, {"interval": "[1, inf)", "share": "[0, 1]", "minimum_side_px": "[0, inf)"})


@dataclass(frozen=True, slots=True)
class TrackerSettings:
    """How maps become a box, and how far a box may move.

    >>> TrackerSettings(templates=TemplateSettings(policy="first_only")).minimum_confidence
    0.3
    """

    minimum_side_px: float = 2.0  # smallest box side; OSTrack's 10 px inflates the small targets that drones see
    maximum_growth: float = 2.0  # most that a side may grow or shrink in one frame, as a factor
    minimum_confidence: float = 0.3  # confidence below which the state is no longer TRACKING
    size_penalty: float = 0.08  # SiamRPN's penalty k on a change of size or shape; 0 switches it off
    size_rate: float = 0.6  # share of a change of the log size that is applied in one frame; 1 applies it all
    # Share of how far the network's box is off in the first frame that is taken off every box that is reported, see
    # `tracking.extent`; 0 reports the boxes that are followed.
    extent_share: float = 0.35
    wide_look: bool = True  # look elsewhere in a frame whose search region does not show the target
    motion: MotionSettings = field(default_factory=MotionSettings)
    recovery: RecoverySettings = field(default_factory=RecoverySettings)
    templates: TemplateSettings = field(default_factory=TemplateSettings)
    lifecycle: LifecycleSettings = field(default_factory=LifecycleSettings)
    reacquisition: ReacquisitionSettings = field(default_factory=ReacquisitionSettings)
    refinement: RefinementSettings = field(default_factory=RefinementSettings)

    def __post_init__(self) -> None:
        check_ranges(
            self,
            {
                "minimum_side_px": "(0, inf)",
                "maximum_growth": "(1, inf)",
                "minimum_confidence": "[0, 1]",
                "size_penalty": "[0, inf)",
                "size_rate": "(0, 1]",
                "extent_share": "[0, 1]",
            },
        )


# For what compares graphs: a second network's boxes, and corrected ones, would hide how they differ.
NETWORK_ALONE = TrackerSettings(extent_share=0.0, refinement=RefinementSettings(policy="off"))
