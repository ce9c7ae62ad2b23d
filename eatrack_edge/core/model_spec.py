"""The model specification: names, shapes, dtypes and metadata of every graph and engine, and their file names.

Two graphs make a tracker. The *template graph* turns the target's crop into tokens, once at ``init`` and once at
each template update. The *track graph* turns the search crop and what a template slot holds into three maps and
the search crop's own Stage-1 tokens, every frame. Both carry this specification as ONNX metadata, so the two files
alone are enough to track; a checkpoint in ``.safetensors`` carries the same keys.

Neither torch nor onnx is imported: whatever reads or writes a graph, in torch, ONNX Runtime or TensorRT, uses this.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace

import msgspec

from eatrack_edge.core.errors import InputError

IMAGENET_MEAN_RGB = (0.485, 0.456, 0.406)
IMAGENET_STD_RGB = (0.229, 0.224, 0.225)
SCHEMA = "eatrack-edge/1"
TEMPLATE_FORMS = ("projections", "tokens", "crop")
# Keys that no checkpoint has, nor the first graphs of this schema.
_OF_GRAPHS = ("precision", "template_form", "foreground_embedding")
_OPTIONAL = (*_OF_GRAPHS, "verifier")  # older files lack them
PRECISIONS = ("fp32", "fp16", "int8", "int8-fp16")


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """One input or output of a graph. Shapes are static: an engine for a drone has no reason to vary."""

    name: str
    shape: tuple[int, ...]
    dtype: str  # numpy's name


@dataclass(frozen=True, slots=True)
class Cropping:
    """How a frame becomes the two crops. It must be the rule that the weights were trained with."""

    template_factor: float = 2.0  # template crop side / sqrt(w*h) of the box
    search_factor: float = 4.0  # search crop side / sqrt(w*h) of the box
    # "integer": OSTrack's window, its corner and side rounded to whole pixels, resized bilinearly.
    # "subpixel": the exact window, warped bilinearly; shrunk by area first when it is much larger than the crop.
    window: str = "integer"
    padding_rgb: tuple[int, int, int] = (0, 0, 0)  # colour beyond the frame's border

    def __post_init__(self) -> None:
        if self.window not in ("integer", "subpixel"):
            raise InputError(f"crop window must be `integer` or `subpixel`, got `{self.window}`")


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """Names, shapes, dtypes and colour order of one exported network, and where it came from."""

    model: str  # a name in eatrack_edge.model.registry
    dim: int  # width of a token
    template_size: int  # px, side of the template crop
    search_size: int  # px, side of the search crop
    template_slots: int  # 1: the first template only; 2: the first and the store's
    cropping: Cropping = field(default_factory=Cropping)
    stride: int = 16  # px of the search crop per cell of the maps
    mean_rgb: tuple[float, float, float] = IMAGENET_MEAN_RGB  # subtracted inside the graph, after / 255
    std_rgb: tuple[float, float, float] = IMAGENET_STD_RGB
    # Confidence is sigmoid(scale * logit(peak) + shift), fitted after training; 1 and 0 leave the peak as it is.
    confidence_scale: float = 1.0
    confidence_shift: float = 0.0
    # Of the arithmetic inside; inputs and outputs are the same for all. Absent in older graphs, which are fp32.
    precision: str = "fp32"
    # What a template slot holds: "tokens" of Stage 1; those and their "projections" in the first joint block, which no
    # frame changes either; or the bare "crop", which every frame encodes again. Absent in older graphs: tokens.
    template_form: str = "tokens"
    # Whether the template graph takes the extent of the target's box in its crop, and the template slot, and adds a
    # foreground embedding to its tokens. Graphs without this key do not.
    foreground_embedding: bool = False
    # What the verifier learned, see verifier_model.py; empty where it was never fitted. Older graphs do not have it.
    verifier: str = field(default="", repr=False)
    checkpoint_sha256: str = ""  # of the weights' file; empty when there was none
    tool_version: str = ""  # eatrack-edge that wrote the graph

    def __post_init__(self) -> None:
        if self.template_form not in TEMPLATE_FORMS:
            raise InputError(f"template form must be one of {', '.join(TEMPLATE_FORMS)}, got `{self.template_form}`")

    @property
    def is_calibrated(self) -> bool:
        """Whether the confidence is a probability; if not, it is the raw peak, which may be low on a clear target."""
        return (self.confidence_scale, self.confidence_shift) != (1.0, 0.0)

    @property
    def grid(self) -> int:
        """Cells per side of the maps."""
        return self.search_size // self.stride

    @property
    def template_tokens(self) -> int:
        """Tokens of one template slot."""
        return (self.template_size // self.stride) ** 2

    @property
    def padding_bgr(self) -> tuple[int, int, int]:
        """Padding in the channel order of a frame."""
        red, green, blue = self.cropping.padding_rgb
        return blue, green, red

    def template_inputs(self) -> tuple[TensorSpec, ...]:
        """What the template graph takes: one crop as OpenCV reads it, BGR, height x width x channel, uint8.

        With a foreground embedding also the width and height of the target's box as fractions of the crop, and its
        slot.
        """
        crop = TensorSpec("template", (self.template_size, self.template_size, 3), "uint8")
        if not self.foreground_embedding:
            return (crop,)
        return crop, TensorSpec("template_extent", (1, 2), "float32"), TensorSpec("template_slot", (1,), "int32")

    def template_outputs(self) -> tuple[TensorSpec, ...]:
        """What a template slot contains, see ``template_form``; tokens are row-major."""
        if self.template_form == "crop":
            crop = TensorSpec("template_crop", (self.template_size, self.template_size, 3), "float32")
            return (
                (crop, TensorSpec("template_crop_extent", (1, 2), "float32")) if self.foreground_embedding else (crop,)
            )
        tokens = TensorSpec("template_tokens", (1, self.template_tokens, self.dim), "float32")
        if self.template_form == "tokens":
            return (tokens,)
        # Queries, keys and values, in this order along the last axis.
        return tokens, TensorSpec("template_projections", (1, self.template_tokens, 3 * self.dim), "float32")

    def slot_inputs(self, slot: int) -> tuple[TensorSpec, ...]:
        """What the track graph takes of one template slot: the template graph's outputs, in their order."""
        return tuple(replace(spec, name=f"{spec.name}_{slot}") for spec in self.template_outputs())

    def track_inputs(self) -> tuple[TensorSpec, ...]:
        """The search crop, BGR uint8, and the tensors of every template slot."""
        slots = (spec for slot in range(self.template_slots) for spec in self.slot_inputs(slot))
        return TensorSpec("search", (self.search_size, self.search_size, 3), "uint8"), *slots

    def track_outputs(self) -> tuple[TensorSpec, ...]:
        """The maps, and the search crop's Stage-1 tokens from which the target store takes its embedding."""
        cells = (self.grid, self.grid)
        return (
            TensorSpec("score_map", (1, 1, *cells), "float32"),  # probability, sigmoid inside
            TensorSpec("offset_map", (1, 2, *cells), "float32"),  # centre within its cell, (dx, dy) in cells
            TensorSpec("size_map", (1, 2, *cells), "float32"),  # (w, h) as a fraction of the search crop
            TensorSpec("search_tokens", (1, self.grid**2, self.dim), "float32"),
        )

    def to_metadata(self) -> dict[str, str]:
        """The model specification as flat text, one key per field, for ONNX metadata or a safetensors header."""
        table = asdict(self)
        table.update(table.pop("cropping"))
        return {"schema": SCHEMA, "channel_order": "BGR"} | {
            key: value if isinstance(value, str) else json.dumps(value) for key, value in table.items()
        }

    def checkpoint_metadata(self) -> dict[str, str]:
        """The same, without what only a graph has: weights do not change with how a graph is written."""
        return {key: value for key, value in self.to_metadata().items() if key not in _OF_GRAPHS}

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str], source: str) -> ModelSpec:
        """Read back what ``to_metadata`` wrote.

        Args:
            metadata: Key and text, as the graph holds them; keys of other tools are left alone.
            source: File that the metadata came from, for the message.

        Raises:
            InputError: Keys are missing or unreadable, or a newer schema wrote them.
        """
        if metadata.get("schema") != SCHEMA:
            raise InputError(
                f"{source}: metadata `schema` is {metadata.get('schema')!r}, this version reads {SCHEMA!r}",
                hint="export the checkpoint again with this version: eatrack-edge export CHECKPOINT",
            )
        specs = [spec for spec in (*fields(cls), *fields(Cropping)) if spec.name != "cropping"]
        try:
            values = {
                spec.name: metadata[spec.name] if spec.type == "str" else json.loads(metadata[spec.name])
                for spec in specs
                if spec.name in metadata or spec.name not in _OPTIONAL
            }
            return msgspec.convert(values | {"cropping": values}, cls)
        except (KeyError, json.JSONDecodeError, msgspec.ValidationError) as error:
            raise InputError(f"{source}: metadata is not a model specification: {error!r}") from error


def stem_of(name: str, precision: str) -> str:
    """What the files of a model in one precision are called before their suffixes; float32 is not written.

    >>> stem_of("eatrack_s", "int8-fp16"), stem_of("eatrack_s", "fp32")
    ('eatrack_s.int8-fp16', 'eatrack_s')
    """
    return name if precision == "fp32" else f"{name}.{precision}"


def split_stem(stem: str) -> tuple[str, str]:
    """Name and precision of such a stem.

    >>> split_stem("eatrack_s.int8-fp16"), split_stem("eatrack_s")
    (('eatrack_s', 'int8-fp16'), ('eatrack_s', 'fp32'))
    """
    name, dot, precision = stem.rpartition(".")
    return (name, precision) if dot and precision in PRECISIONS else (stem, "fp32")
