"""Where a network starts: a plain ViT (DINOv2, DeiT), a trained teacher, or a checkpoint of its own."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import cast

import torch
from torch import Tensor

from eatrack_edge.core.errors import CheckpointError
from eatrack_edge.model.architecture import Architecture
from eatrack_edge.model.checkpoints import build, read_checkpoint, resize_position_table
from eatrack_edge.model.eatrack import EATrack
from eatrack_edge.model.foreground_embedding import ForegroundEmbedding

KINDS = ("checkpoint", "vit", "teacher", "wider")  # the last is in narrow.py: it needs crops


def start(architecture: Architecture, path: Path | None, kind: str) -> EATrack:
    """A network to be trained.

    Args:
        architecture: Of the network.
        path: Weights; ``None`` starts at random.
        kind: ``checkpoint``: the same network, all of it. ``vit``: timm's keys, patch and position tables of any
            size, LayerScale or none; the lowest blocks are taken, and the head starts at random. ``teacher``: a deeper
            network of the same width; its lowest blocks become Stage 1, its last blocks Stage 2, and its head the
            head.

    Raises:
        CheckpointError: The weights cannot be read or do not fit.
    """
    if path is None:
        return _quiet_head(EATrack(architecture))
    checkpoint = read_checkpoint(path)
    if kind == "checkpoint":
        return _with_foreground_embedding(build(architecture, checkpoint), architecture)
    network = _quiet_head(EATrack(architecture))
    if kind == "vit":
        tensors = from_vit(checkpoint.tensors, architecture, path)
        missing, extra = network.backbone.load_state_dict(tensors, strict=False)
        fault = [*missing, *extra]
    else:
        tensors = from_teacher(checkpoint.tensors, architecture, path)
        missing, extra = network.load_state_dict(tensors, strict=False)
        fault = [key for key in missing if not key.endswith("num_batches_tracked")] + extra
    fault = [key for key in fault if "foreground_embedding." not in key]  # these begin at 0
    if fault:
        raise CheckpointError(f"{path}: does not fit this network as a {kind}: {', '.join(sorted(fault)[:3])}")
    return network


def from_vit(tensors: Mapping[str, Tensor], architecture: Architecture, path: Path) -> dict[str, Tensor]:
    """A plain ViT's weights as our backbone's.

    Args:
        tensors: timm's keys: ``patch_embed.proj.weight``, ``pos_embed``, ``blocks.N...``, ``norm...``. LayerScale
            (``lsN.gamma``) is folded into the linear layer before it, which changes nothing.
        architecture: Of the network to be started.
        path: For messages.

    Raises:
        CheckpointError: A key is missing, the ViT is shallower, or of another width.
    """
    depth = len({key.split(".")[1] for key in tensors if key.startswith("blocks.")})
    if depth < architecture.blocks:
        raise CheckpointError(f"{path}: a ViT of {depth} blocks, the network needs {architecture.blocks}")
    if "pos_embed" not in tensors or "patch_embed.proj.weight" not in tensors:
        raise CheckpointError(f"{path}: not a ViT: `pos_embed` or `patch_embed.proj.weight` is missing")
    width = tensors["pos_embed"].shape[-1]
    if width != architecture.dim:
        raise CheckpointError(f"{path}: a ViT of width {width}, the network needs {architecture.dim}")
    kept = {key: value for key, value in tensors.items() if key.startswith("norm.")}
    for number in range(architecture.blocks):
        kept |= _fold_layer_scale(tensors, f"blocks.{number}.")
    kept["patch_embed.proj.weight"] = resize_patch_kernel(tensors["patch_embed.proj.weight"], architecture.patch)
    kept["patch_embed.proj.bias"] = tensors["patch_embed.proj.bias"]
    kept["pos_embed_z"] = resize_position_table(tensors["pos_embed"], architecture.template_grid**2)
    kept["pos_embed_x"] = resize_position_table(tensors["pos_embed"], architecture.grid**2)
    return kept


def from_teacher(tensors: Mapping[str, Tensor], architecture: Architecture, path: Path) -> dict[str, Tensor]:
    """A trained teacher's weights as a shallower student's: lowest blocks, last blocks, head.

    Raises:
        CheckpointError: The teacher is shallower than the student.
    """
    prefix = "backbone.blocks."
    depth = len({key.split(".")[2] for key in tensors if key.startswith(prefix)})
    if depth < architecture.blocks:
        raise CheckpointError(f"{path}: a teacher of {depth} blocks, the student has {architecture.blocks}")
    new_number = {number: number for number in range(architecture.separate_blocks)}
    for place in range(architecture.joint_blocks):
        new_number[depth - architecture.joint_blocks + place] = architecture.separate_blocks + place
    kept = {key: value for key, value in tensors.items() if not key.startswith(prefix)}
    for key, value in tensors.items():
        if key.startswith(prefix):
            number, _, rest = key.removeprefix(prefix).partition(".")
            if int(number) in new_number:
                kept[f"{prefix}{new_number[int(number)]}.{rest}"] = value
    return kept


def resize_patch_kernel(kernel: Tensor, patch: int) -> Tensor:
    """Resize a patch embedding so that an enlarged patch gives the token that the patch gave (FlexiViT, section 3.4).

    A plain enlargement of the kernel would make tokens larger and softer. The pseudo-inverse of the enlargement
    gives the kernel whose product with the enlarged patch is the old product, exactly where ``patch`` is larger.

    Args:
        kernel: Shape (dim, 3, P, P).
        patch: New side, pixels.

    Returns:
        Shape (dim, 3, patch, patch).
    """
    old = kernel.shape[-1]
    if old == patch:
        return kernel
    basis = torch.eye(old * old, dtype=torch.float64).view(old * old, 1, old, old)
    enlarge = torch.nn.functional.interpolate(basis, size=(patch, patch), mode="bilinear", align_corners=False)
    matrix = enlarge.flatten(1)  # (old^2, new^2): row i is what pixel i becomes
    resized = kernel.double().flatten(2) @ torch.linalg.pinv(matrix).T
    return cast("Tensor", resized.view(*kernel.shape[:2], patch, patch).to(kernel.dtype))


def _fold_layer_scale(tensors: Mapping[str, Tensor], block: str) -> dict[str, Tensor]:
    kept = {key: value for key, value in tensors.items() if key.startswith(block) and ".ls" not in key}
    for scale, layer in (("ls1.gamma", "attn.proj"), ("ls2.gamma", "mlp.fc2")):
        gamma = tensors.get(block + scale)
        if gamma is not None:
            kept[f"{block}{layer}.weight"] = kept[f"{block}{layer}.weight"] * gamma[:, None]
            kept[f"{block}{layer}.bias"] = kept[f"{block}{layer}.bias"] * gamma
    return kept


def _with_foreground_embedding(network: EATrack, architecture: Architecture) -> EATrack:
    """Add a foreground embedding to a network that was trained without; its outputs stay the same."""
    if architecture.foreground_embedding and network.backbone.foreground_embedding is None:
        network.backbone.foreground_embedding = ForegroundEmbedding(architecture.template_slots, architecture.dim)
        network.architecture = replace(network.architecture, foreground_embedding=True)
    return network


def _quiet_head(network: EATrack) -> EATrack:
    """Let a new head say "unlikely" everywhere and a nominal size, so that its first losses do not shake the rest."""
    grid = network.architecture.grid
    nominal = 1 / 4  # of the search crop: search_factor 4
    for branch, share in (("ctr", 1 / grid**2), ("size", nominal)):
        layer = network.box_head.get_submodule(f"conv5_{branch}")
        torch.nn.init.constant_(cast("Tensor", layer.bias), math.log(share / (1 - share)))
    return network
