"""How one checkpoint becomes two graphs: the recipe a person edits, and the plan it makes with a checkpoint."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from eatrack_edge import __version__
from eatrack_edge.core import config
from eatrack_edge.core.errors import ConfigError, InputError, UsageError
from eatrack_edge.core.model_spec import SCHEMA, Cropping, ModelSpec
from eatrack_edge.core.reasons import reason_of
from eatrack_edge.core.resources import bundled, recipe_path
from eatrack_edge.core.verifier_model import VerifierModel
from eatrack_edge.export.tracking_gate import GateBudget
from eatrack_edge.model.architecture import Architecture
from eatrack_edge.model.checkpoints import SUFFIXES, Checkpoint, has_foreground_embedding, read_checkpoint
from eatrack_edge.model.registry import architecture

OLDEST_OPSET = 17  # the first with LayerNormalization whole; TensorRT 10.3 reads it


@dataclass(frozen=True, slots=True)
class ExportRecipe:
    """What a checkpoint does not contain. A ``.safetensors`` of eatrack-edge does: its metadata takes precedence."""

    model: str  # a name in eatrack_edge.model.registry
    opset: int = OLDEST_OPSET  # raise it only together with the oldest JetPack we support
    template_slots: int = 2  # templates that Stage 2 sees; 1 where the weights were trained with one
    cropping: Cropping = field(default_factory=Cropping)
    gate: GateBudget = field(default_factory=GateBudget)  # how much worse than float32 the other precisions may track

    def __post_init__(self) -> None:
        if self.opset < OLDEST_OPSET:
            raise ConfigError(f"opset must be at least {OLDEST_OPSET}, got {self.opset}")


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything an export needs.

    Attributes:
        name: Stem of the files to write.
        architecture: Of the network, with the slots that the graph will have.
        checkpoint: Its weights.
        model_spec: Metadata of the graphs.
        opset: ONNX opset.
        gate: How much worse than float32 the other precisions may track.
    """

    name: str
    architecture: Architecture
    checkpoint: Checkpoint
    model_spec: ModelSpec
    opset: int
    gate: GateBudget = field(default_factory=GateBudget)


def plan(
    what: str,
    *,
    model: str | None = None,
    name: str | None = None,
    slots: int | None = None,
    opset: int | None = None,
    joint: bool = False,
    verifier: Path | None = None,
) -> Plan:
    """Find the weights and decide every option: from the arguments, else the checkpoint's metadata, else the recipe.

    Args:
        what: A model's name (its bundled checkpoint is taken), a checkpoint's path, or a recipe's.
        model: Name of the recipe for a checkpoint that does not name its model.
        name: Stem of the files to write; the checkpoint's by default.
        slots: Template slots, instead of the checkpoint's or recipe's.
        opset: ONNX opset, instead of the recipe's.
        joint: Encode the templates in every frame; a slower graph to compare with.
        verifier: What ``fit-verifier`` wrote, instead of the checkpoint's.

    Raises:
        UsageError: Unknown model or recipe, a checkpoint of an unnamed model, or a verifier of another network.
        CheckpointError: The checkpoint cannot be read.
        InputError: The verifier cannot be read.
    """
    if what.endswith(SUFFIXES):
        checkpoint = read_checkpoint(Path(what))
        recipe_name = model or _model_of(checkpoint)
    else:
        recipe_name = what
        checkpoint = read_checkpoint(_bundled_checkpoint(what))
    recipe = config.load(ExportRecipe, recipe_path(recipe_name))
    known = ModelSpec.from_metadata(checkpoint.metadata, str(checkpoint.path)) if _is_ours(checkpoint) else None
    slots = slots or (known.template_slots if known else recipe.template_slots)
    shape = replace(architecture(recipe.model), template_slots=slots)
    model_spec = _model_spec(recipe, shape, checkpoint, known, joint)
    if verifier is not None:
        model_spec = replace(model_spec, verifier=_read_verifier(verifier, recipe.model))
    return Plan(name or _stem(checkpoint.path), shape, checkpoint, model_spec, opset or recipe.opset, recipe.gate)


def _model_spec(
    recipe: ExportRecipe, shape: Architecture, checkpoint: Checkpoint, known: ModelSpec | None, joint: bool
) -> ModelSpec:
    return ModelSpec(
        model=recipe.model,
        dim=shape.dim,
        template_size=shape.template_size,
        search_size=shape.search_size,
        template_slots=shape.template_slots,
        cropping=known.cropping if known else recipe.cropping,
        stride=shape.patch,
        confidence_scale=known.confidence_scale if known else 1.0,
        confidence_shift=known.confidence_shift if known else 0.0,
        verifier=known.verifier if known else "",
        # Weights that an export wrote keep their source's hash, so that exporting them again changes nothing.
        checkpoint_sha256=(known.checkpoint_sha256 if known else "") or checkpoint.sha256,
        template_form=_template_form(shape, joint),
        foreground_embedding=has_foreground_embedding(checkpoint),
        tool_version=__version__,
    )


def _read_verifier(path: Path, model: str) -> str:
    """Read what ``fit-verifier`` wrote, and check that it can be used with a network."""
    hint = "write one with: eatrack-edge fit-verifier"
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {reason_of(error)}", hint=hint) from error
    if not text:
        raise InputError(f"{path}: is empty", hint=hint)
    found = VerifierModel.from_text(text, str(path))
    if found.model not in (model, ""):  # older files name none
        raise UsageError(
            f"{path}: this verifier was fitted for `{found.model}`, and the network is `{model}`",
            hint=f"fit one to graphs of `{model}`: eatrack-edge fit-verifier --model GRAPHS --data CLIPS",
        )
    return found.to_text()


def _template_form(shape: Architecture, joint: bool) -> str:
    if joint:
        return "crop"
    # The last block needs other projections of a template than the first; where it is both, none are kept.
    return "projections" if shape.joint_blocks > 1 else "tokens"


def _is_ours(checkpoint: Checkpoint) -> bool:
    return checkpoint.metadata.get("schema") == SCHEMA


def _model_of(checkpoint: Checkpoint) -> str:
    if "model" not in checkpoint.metadata:
        raise UsageError(
            f"{checkpoint.path}: has no metadata that names its network",
            hint="name it: --model eatrack_deit, for example",
        )
    return checkpoint.metadata["model"]


def _bundled_checkpoint(name: str) -> Path:
    stem = Path(name).stem if name.endswith(".toml") else name
    recipe_path(name)  # an unknown name gives a clearer error than missing weights
    path = bundled(f"{stem}.safetensors")
    if path is None:
        raise UsageError(
            f"no weights ship for `{stem}`", hint=f"give a checkpoint: eatrack-edge export CHECKPOINT --model {stem}"
        )
    return path


def _stem(path: Path) -> str:
    return next(path.name.removesuffix(suffix) for suffix in SUFFIXES if path.name.endswith(suffix))
