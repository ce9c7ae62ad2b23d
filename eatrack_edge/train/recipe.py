"""A training recipe: every choice of a run, with its unit and its reason. Read from TOML by ``config.load``."""

from __future__ import annotations

from dataclasses import dataclass, field

from eatrack_edge.core.errors import ConfigError, did_you_mean
from eatrack_edge.core.ranges import check_ranges
from eatrack_edge.train.augment import AugmentRecipe
from eatrack_edge.train.box_teacher import BoxTeacherRecipe
from eatrack_edge.train.distillation import DistillationRecipe
from eatrack_edge.train.losses import LossRecipe
from eatrack_edge.train.pretrained import KINDS
from eatrack_edge.train.sampling import SamplingRecipe


@dataclass(frozen=True, slots=True)
class SourceRecipe:
    """How often one source of the data is drawn."""

    name: str  # of the shard's files, without their ending
    weight: float  # relative to the source's size; 0 leaves it out


@dataclass(frozen=True, slots=True)
class SetRecipe:
    """One dataset on disk."""

    folder: str  # its root; a relative path is taken from the working directory. Of "synthetic": a test:// source
    layout: str = "shards"  # or "got10k", "lasot", "trackingnet", "coco", "images", "synthetic"
    weight: float = 1.0  # how often it is drawn, relative to other sets, whatever its size
    sources: tuple[SourceRecipe, ...] = ()  # of shards only
    default_weight: float = 1.0  # of sources not named
    clips: int = 8  # of "synthetic" only: how many videos are drawn, a few seconds each


@dataclass(frozen=True, slots=True)
class DataRecipe:
    """What is learned from, and what is held out to judge by."""

    sets: tuple[SetRecipe, ...]
    largest_gap: int = 200  # frames between the moments of a triplet; the lab's
    far_apart: float = 0.0  # share of a clip's triplets whose first and last moment are as far apart as they may be
    held_out_sources: tuple[str, ...] = ("otb", "davis")  # whose clips are held out: real video of many kinds
    held_out_every_clip: int = 5  # one clip in five of those; 0 holds out none
    held_out_every_still: int = 12  # one run of ten stills in twelve runs; 0 holds out none
    held_out_every_track: int = 0  # of other layouts, one track in so many; 0 holds out none
    # Another tracker whose boxes refine the labels of training clips; not of held-out ones.
    box_teacher: BoxTeacherRecipe = field(default_factory=BoxTeacherRecipe)
    pairs: int = 100  # held-out pairs to judge by, three searches each
    calibration: int = 256  # held-out samples to calibrate the confidence on at the end; 0 leaves it as it is
    decode_once: bool = False  # decode the pictures of shards once, into a temporary file 25 times as large

    def __post_init__(self) -> None:
        if not self.sets:
            raise ConfigError("a recipe needs data: at least one [[data.sets]]")


_OPTIMISER_RANGES = {
    "batch": "[1, inf)",
    "head_rate": "[0, inf)",
    "marks_rate": "[0, inf)",
    "joint_rate": "[0, inf)",
    "separate_rate": "[0, inf)",
    "weight_decay": "[0, inf)",
    "clip_norm": "(0, inf)",
    "warm_up": "[0, 1]",
    "drop_at": "[0, 1]",
    "final_rate": "[0, 1]",
    "drop_path": "[0, 1)",
    "freeze_blocks": "[0, inf)",
    "freeze_until": "[0, 1]",
    "freeze_always": "[0, inf)",
    "average": "[0, 1)",
}


@dataclass(frozen=True, slots=True)
class ClosedLoopRecipe:
    """Closed-loop tracking of held-out clips while training, see train/closed_loop.py."""

    every: int = 0  # samples between validations; 0 never validates so
    clips: int = 40  # held-out clips at most, from each source in turn
    frames: int = 50  # of each video
    strides: tuple[int, ...] = (1, 3)  # frames from one to the next: each clip is tracked at each of them
    look_alikes: float = 0.5  # share of the clips in which another target of the same source passes close by

    def __post_init__(self) -> None:
        if self.frames < 2 or self.clips < 1 or not self.strides or min(self.strides) < 1:
            raise ConfigError("validate_closed_loop needs at least 1 clip, 2 frames and a stride of 1 or more")


@dataclass(frozen=True, slots=True)
class OptimiserRecipe:
    """AdamW, one cosine or one drop, and what is frozen for how long."""

    batch: int = 16  # samples a step, over all processes
    # A rate of 0 freezes: no gradient is computed, and batch norms keep their statistics.
    head_rate: float = 1e-3
    score_rate: float | None = None  # the head's score branch, which tells who it is; `head_rate` if left out
    marks_rate: float = 2e-3  # they begin at 0, and Adam moves each entry by about the rate a step
    joint_rate: float = 4e-4  # Stage 2 and the final norm, which the pretrained start has never seen used so
    separate_rate: float = 1e-4  # Stage 1, patches and positions, which start nearly right
    weight_decay: float = 0.02
    betas: tuple[float, float] = (0.9, 0.98)  # 0.98: short runs cannot afford a thousand steps of memory
    clip_norm: float = 1.0  # of the whole gradient
    warm_up: float = 0.04  # share of the run with a rising rate
    decay: str = "cosine"  # or "drop": the paper's, a tenth from `drop_at` on
    drop_at: float = 0.8  # share of the run; the paper's 240 of 300 epochs
    final_rate: float = 0.01  # share of the rate left at the cosine's end
    drop_path: float = 0.0  # largest, at the last block; the lab's 0.1 is for 18 million samples
    freeze_blocks: int = 0  # lowest blocks, with patches and positions, frozen at first: a third less work a sample
    freeze_until: float = 0.0  # share of the run for which they are
    freeze_always: int = 0  # lowest blocks frozen to the end
    average: float = 0.997  # decay a step of the averaged weights, which are the result of a run

    def __post_init__(self) -> None:
        check_ranges(self, _OPTIMISER_RANGES | ({} if self.score_rate is None else {"score_rate": "[0, inf)"}))
        for beta in self.betas:
            if not 0 <= beta < 1:
                raise ConfigError(f"betas must be at least 0 and below 1, got {beta}")
        if self.decay not in ("cosine", "drop"):
            raise ConfigError(f"decay must be `cosine` or `drop`, got `{self.decay}`")


@dataclass(frozen=True, slots=True)
class TrainRecipe:
    """How one network is trained."""

    model: str  # a name in eatrack_edge.model.registry
    data: DataRecipe
    samples: int  # to learn from in all; the schedule's length
    start: str = ""  # weights to start from; empty is at random, of "checkpoint" only
    # Of this network; or "vit" or "teacher", see train/pretrained.py; or "wider", see train/narrow.py.
    start_kind: str = "checkpoint"
    start_model: str = ""  # of "wider" only: which network, a name in eatrack_edge.model.registry
    seed: int = 0  # of weights, samples and drop path
    precision: str = "fp32"  # "bf16" on a GPU or a CPU that has it: slower by 2.5 where it has not; "auto": on a GPU
    compile: bool = False  # torch.compile, on a GPU only; what it gains there is not measured
    # Processes that make samples; left out: none on a CPU, where the network takes all the time, all cores for a GPU.
    workers: int | None = None
    threads: int = 1  # of each process on a CPU: two processes of one thread beat one of two
    judge_every: int = 1600  # samples between judgements on the held-out pairs
    save_every_s: float = 180.0  # between checkpoints; a power cut costs this much
    validate_closed_loop: ClosedLoopRecipe = field(default_factory=ClosedLoopRecipe)
    sampling: SamplingRecipe = field(default_factory=SamplingRecipe)
    augment: AugmentRecipe = field(default_factory=AugmentRecipe)
    loss: LossRecipe = field(default_factory=LossRecipe)
    distillation: DistillationRecipe = field(default_factory=DistillationRecipe)
    optimiser: OptimiserRecipe = field(default_factory=OptimiserRecipe)

    def __post_init__(self) -> None:
        if self.precision not in ("fp32", "bf16", "auto"):
            raise ConfigError(f"precision must be `fp32`, `bf16` or `auto`, got `{self.precision}`")
        if self.start_kind not in KINDS:
            hint = did_you_mean(self.start_kind, KINDS, "")
            raise ConfigError(f"start_kind must be one of {', '.join(KINDS)}, got `{self.start_kind}`", hint=hint)
        if (self.start_kind == "wider") != bool(self.start_model):
            raise ConfigError("start_kind `wider` and start_model go together: name the wide network")
        if self.start_kind != "checkpoint" and not self.start:
            raise ConfigError(
                f"start_kind `{self.start_kind}` needs weights to start from, and start is empty",
                hint='name their file: start = "weights.safetensors"; or leave start_kind out and start at random',
            )
        if self.samples < self.optimiser.batch:
            raise ConfigError(f"samples must be at least one batch of {self.optimiser.batch}, got {self.samples}")
