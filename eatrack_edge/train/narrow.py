"""A narrow network cut from a wide one in closed form: a start where no small ViT is to be had.

The residual stream of the wide network is turned so that its largest directions come first, and the first ``dim`` are
kept. Every layer of the narrow one is then fitted, front to back, to give what the wide one gives in those directions,
by ridge regression on the narrow one's own activations, so that a layer mends what those before it lost. No gradient
step is taken. (The turn is SliceGPT's, section 3; the fit is what a cut to a half needs.)
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from eatrack_edge.core.errors import ConfigError
from eatrack_edge.model.architecture import Architecture
from eatrack_edge.model.backbone import Backbone, Block
from eatrack_edge.model.eatrack import EATrack

FITTED_TO = 256  # samples: 98,000 tokens; of 64 the cut is worse (pair overlap 0.68 for 0.69), of 400 no better
_RIDGE = 0.1  # of the inputs' mean variance: with 1e-3 rare units get weights of 20, and training from there diverges
Streams = list[Tensor]  # (B, N, width) each: templates and search in Stage 1, all tokens together in Stage 2


@torch.no_grad()
def narrow(wide: EATrack, shape: Architecture, templates: Tensor, extents: Tensor, search: Tensor) -> EATrack:
    """A network of ``shape`` that answers as nearly as it can as ``wide`` does.

    Args:
        wide: In evaluation mode.
        shape: Narrower, with attention heads as wide, and at least as deep in both stages. Where several blocks follow
            one of ``wide``, each takes other heads and units of it, and mends what those before it left.
        templates: Normalised RGB, shape (B, slots, 3, Z, Z), with B such as ``FITTED_TO``.
        extents: Width and height of the target's box as fractions of each template, shape (B, slots, 2).
        search: Normalised RGB, shape (B, 3, X, X).

    Raises:
        ConfigError: The shapes do not go together.
    """
    _check(wide.architecture, shape)
    slim = EATrack(shape).eval()
    source = _run(wide.backbone, templates, extents, search)
    turn = _turn([flat for streams in source for flat in streams], shape.dim)
    _cut_embedding(wide.backbone, slim.backbone, turn)
    streams = _embed(slim.backbone, templates, search)
    plan = _plan(wide.architecture, shape)
    left: _Left | None = None
    for number, origin in enumerate(plan):
        if number == shape.separate_blocks:
            streams = [_join(slim.backbone, streams, extents)]
        theirs = cast("Block", wide.backbone.blocks[origin])
        if left is None or plan[number - 1] != origin:
            left = _Left(theirs, _inputs(wide.backbone, source, extents, origin))
        block = cast("Block", slim.backbone.blocks[number])
        left.fit(block, streams, turn)
        streams = [block(stream) for stream in streams]
    ours = slim.backbone.finish(streams[0])
    _cut_head(wide, slim, wide.backbone.finish(source[-1][0]), ours)
    return slim


class _Left:
    """What one block of the wide network does, and which of its heads and units no narrow block has taken yet."""

    def __init__(self, block: Block, inputs: Streams) -> None:
        attention, mlp = block.attn, block.mlp
        self.block = block
        self.side = attention.proj.in_features // attention.heads
        qkv = [attention.qkv(block.norm1(x)) for x in inputs]
        self.qkv = _flat(qkv)
        self.looked = _flat([attention.look(*attention.split(each)) for each in qkv])
        self.attended = _flat(inputs) + attention.proj(self.looked)
        self.hidden = mlp.fc1(block.norm2(self.attended))
        self.out = self.attended + mlp.fc2(F.gelu(self.hidden))
        self.units_say = F.gelu(self.hidden).std(0)[:, None] * mlp.fc2.weight.T  # each unit's part in the output
        self.heads = list(range(attention.heads))
        self.units = list(range(mlp.fc1.out_features))

    def fit(self, ours: Block, streams: Streams, turn: Tensor) -> None:
        """Fit a narrow block that sees ``streams``; what it took is no longer left."""
        self._fit_attention(ours, streams, self.attended @ turn)
        middle = _flat([x + ours.attn(ours.norm1(x)) for x in streams])
        self._fit_mlp(ours, middle, self.out @ turn, turn)

    def _fit_attention(self, ours: Block, streams: Streams, target: Tensor) -> None:
        missing = target - _flat(streams)
        heads = _best_groups(self.looked, missing, self.side, self.heads, ours.attn.heads)
        self.heads = _left_over(self.heads, heads, self.block.attn.heads)
        rows = torch.tensor([head * self.side + k for head in heads for k in range(self.side)])
        rows = torch.cat([part * self.looked.shape[1] + rows for part in range(3)])  # of queries, keys and values
        attention, normed = ours.attn, [ours.norm1(x) for x in streams]
        _set(attention.qkv, _flat(normed), self.qkv[:, rows])
        _set(attention.proj, _flat([attention.look(*attention.split(attention.qkv(x))) for x in normed]), missing)

    def _fit_mlp(self, ours: Block, middle: Tensor, target: Tensor, turn: Tensor) -> None:
        weight = (self.units_say @ turn).norm(dim=1)
        units = sorted(self.units, key=lambda unit: -float(weight[unit]))[: ours.mlp.fc1.out_features]
        self.units = _left_over(self.units, units, self.block.mlp.fc1.out_features)
        normed = ours.norm2(middle)
        _set(ours.mlp.fc1, normed, self.hidden[:, units])
        _set(ours.mlp.fc2, F.gelu(ours.mlp.fc1(normed)), target - middle)


def _left_over(before: list[int], taken: list[int], count: int) -> list[int]:
    """What was not taken; where the next block would not find as much, all of the ``count`` again."""
    left = sorted(set(before) - set(taken))
    return left if len(left) >= len(taken) else list(range(count))


def _check(wide: Architecture, shape: Architecture) -> None:
    if wide.dim // wide.heads != shape.dim // shape.heads:
        raise ConfigError(
            f"an attention head must stay as wide as it is, got {wide.dim // wide.heads} and {shape.dim // shape.heads}"
        )
    if shape.dim >= wide.dim or shape.mlp_ratio * shape.dim > wide.mlp_ratio * wide.dim:
        raise ConfigError(f"only a wider network can be cut to a width of {shape.dim}, got {wide.dim}")
    if shape.separate_blocks < wide.separate_blocks or shape.joint_blocks < wide.joint_blocks:
        raise ConfigError(
            f"the narrow network must be as deep, {wide.separate_blocks}+{wide.joint_blocks} blocks, "
            f"got {shape.separate_blocks}+{shape.joint_blocks}"
        )
    if shape.head_width < wide.head_width or shape.template_slots != wide.template_slots:
        raise ConfigError("the narrow network needs as many template slots and a head as wide")
    if (shape.template_size, shape.search_size, shape.patch) != (wide.template_size, wide.search_size, wide.patch):
        raise ConfigError("both networks must see the same crops")


def _plan(wide: Architecture, shape: Architecture) -> list[int]:
    """Which wide block each narrow one follows, evenly within each stage."""
    separate = [i * wide.separate_blocks // shape.separate_blocks for i in range(shape.separate_blocks)]
    joint = [wide.separate_blocks + i * wide.joint_blocks // shape.joint_blocks for i in range(shape.joint_blocks)]
    return separate + joint


def _embed(backbone: Backbone, templates: Tensor, search: Tensor) -> Streams:
    batch, slots = templates.shape[:2]
    tokens = backbone.patch_embed(templates.flatten(0, 1)) + backbone.pos_embed_z
    return [tokens.reshape(batch * slots, -1, tokens.shape[2]), backbone.patch_embed(search) + backbone.pos_embed_x]


def _join(backbone: Backbone, streams: Streams, extents: Tensor) -> Tensor:
    templates, search = streams
    slot = torch.arange(extents.shape[1]).repeat(len(search))
    templates = backbone.embed_foreground(templates, extents.flatten(0, 1), slot)
    return torch.cat([templates.reshape(len(search), -1, search.shape[2]), search], dim=1)


def _run(backbone: Backbone, templates: Tensor, extents: Tensor, search: Tensor) -> list[Streams]:
    """The residual stream before each block, and after the last one."""
    streams = _embed(backbone, templates, search)
    found = [streams]
    for number, block in enumerate(backbone.blocks):
        if number == backbone.separate_blocks:
            streams = [_join(backbone, streams, extents)]
        streams = [block(stream) for stream in streams]
        found.append(streams)
    return found


def _inputs(backbone: Backbone, source: list[Streams], extents: Tensor, number: int) -> Streams:
    streams = source[number]
    return [_join(backbone, streams, extents)] if number == backbone.separate_blocks else streams


def _turn(streams: Streams, dim: int) -> Tensor:
    """From the wide stream to the narrow one, shape (wide, dim): columns of unit length, no constant part.

    A layer norm takes the mean away, so that a direction is lost to it: one of the ``dim`` carries nothing, and the
    others are turned away from it.
    """
    wide = streams[0].shape[-1]
    covariance = torch.zeros(wide, wide, dtype=torch.float64)
    for stream in streams:  # as every layer reads it: normalised
        tokens = F.layer_norm(stream, stream.shape[-1:]).flatten(0, 1).double()
        covariance += tokens.T @ tokens / len(tokens)
    largest = torch.linalg.eigh(covariance).eigenvectors[:, -(dim - 1) :]
    constant = torch.ones(dim, 1, dtype=torch.float64)
    beside = torch.linalg.qr(torch.cat([constant, torch.eye(dim, dtype=torch.float64)[:, 1:]], dim=1)).Q[:, 1:]
    return (largest @ beside.T).float()


def _cut_embedding(wide: Backbone, slim: Backbone, turn: Tensor) -> None:
    slim.patch_embed.proj.weight.copy_(torch.einsum("wchk,wd->dchk", wide.patch_embed.proj.weight, turn))
    cast("Tensor", slim.patch_embed.proj.bias).copy_(cast("Tensor", wide.patch_embed.proj.bias) @ turn)
    slim.pos_embed_z.copy_(wide.pos_embed_z @ turn)
    slim.pos_embed_x.copy_(wide.pos_embed_x @ turn)
    if slim.foreground_embedding is not None and wide.foreground_embedding is not None:
        slim.foreground_embedding.inside.copy_(wide.foreground_embedding.inside @ turn)
        slim.foreground_embedding.outside.copy_(wide.foreground_embedding.outside @ turn)


def _cut_head(wide: EATrack, slim: EATrack, theirs: Tensor, ours: Tensor) -> None:
    """The wide head inside the narrow network's wider one; its other channels are new, and are not listened to yet."""
    matrix, shift = _ridge(ours.flatten(0, 1), theirs.flatten(0, 1))
    for branch in ("ctr", "offset", "size"):
        _place(*(cast("nn.Conv2d", head.get_submodule(f"conv5_{branch}")) for head in (wide.box_head, slim.box_head)))
        for layer in range(1, 5):
            given, taken = (
                cast("nn.Sequential", head.get_submodule(f"conv{layer}_{branch}"))
                for head in (wide.box_head, slim.box_head)
            )
            old, new = cast("nn.Conv2d", given[0]), cast("nn.Conv2d", taken[0])
            if layer == 1:
                new.weight[: old.out_channels] = torch.einsum("owhk,dw->odhk", old.weight, matrix)
                constant = torch.einsum("owhk,w->o", old.weight, shift)
            else:
                _place(old, new)
                constant = torch.zeros(old.out_channels)
            _cut_norm(old, new, given[1], taken[1], constant)


def _cut_norm(old: nn.Conv2d, new: nn.Conv2d, given: nn.Module, taken: nn.Module, constant: Tensor) -> None:
    """Batch norm of the channels taken; what the convolution adds to each goes to its bias, or out of the mean."""
    there, here = cast("nn.BatchNorm2d", given), cast("nn.BatchNorm2d", taken)
    kept = old.out_channels
    if old.bias is not None:
        constant = constant + old.bias
    if new.bias is not None:
        new.bias.zero_()
    cast("Tensor", here.running_mean)[:kept] = cast("Tensor", there.running_mean) - constant
    cast("Tensor", here.running_var)[:kept] = cast("Tensor", there.running_var)
    here.weight[:kept], here.bias[:kept] = there.weight, there.bias


def _place(old: nn.Conv2d, new: nn.Conv2d) -> None:
    new.weight[: old.out_channels] = 0
    new.weight[: old.out_channels, : old.in_channels] = old.weight
    if new.bias is not None:
        new.bias.zero_()
        if old.bias is not None:
            new.bias[: old.out_channels] = old.bias


def _best_groups(inputs: Tensor, target: Tensor, side: int, groups: list[int], count: int) -> list[int]:
    """The ``count`` groups of ``side`` columns that explain ``target`` best together, one after the other."""
    x, y = (part.double() - part.double().mean(0) for part in (inputs, target))
    gram, cross = x.T @ x, x.T @ y
    chosen: list[int] = []
    for _ in range(count):
        gains = {}
        for group in groups:
            if group not in chosen:
                columns = torch.tensor([each * side + k for each in [*chosen, group] for k in range(side)])
                part, against = gram[columns][:, columns], cross[columns]
                gains[group] = float((_solve(part, against) * against).sum())
        chosen.append(max(gains, key=lambda group: gains[group]))
    return sorted(chosen)


def _set(layer: nn.Linear, inputs: Tensor, target: Tensor) -> None:
    matrix, shift = _ridge(inputs, target)
    layer.weight.copy_(matrix.T)
    layer.bias.copy_(shift)


def _ridge(inputs: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Matrix (in, out) and shift (out,) of the best linear map with an intercept."""
    mean_in, mean_out = inputs.double().mean(0), target.double().mean(0)
    x, y = inputs.double() - mean_in, target.double() - mean_out
    matrix = _solve(x.T @ x, x.T @ y)
    return matrix.float(), (mean_out - mean_in @ matrix).float()


def _solve(gram: Tensor, cross: Tensor) -> Tensor:
    small = _RIDGE * gram.diagonal().mean() * torch.eye(len(gram), dtype=gram.dtype)
    return torch.linalg.solve(gram + small, cross)


def _flat(streams: Streams) -> Tensor:
    """All tokens of all streams, shape (tokens, width)."""
    return torch.cat([stream.flatten(0, -2) for stream in streams])
