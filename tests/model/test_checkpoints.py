from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from eatrack_edge.core.errors import CheckpointError
from eatrack_edge.model.checkpoints import build, read_checkpoint, resize_position_table, write_checkpoint
from eatrack_edge.model.eatrack import EATrack
from eatrack_edge.model.registry import architecture

pytestmark = pytest.mark.torch

TINY = architecture("eatrack_tiny")


@pytest.fixture
def network() -> EATrack:
    torch.manual_seed(1)
    return EATrack(TINY).eval()


def same(a: EATrack, b: EATrack) -> bool:
    given = torch.randn(1, 3, 128, 128), [torch.randn(1, 3, 64, 64)] * 2, [torch.rand(1, 2)] * 2
    with torch.no_grad():
        return all(torch.equal(p, q) for p, q in zip(a(*given), b(*given), strict=True))


@pytest.mark.parametrize("wrapper", ["net", "model", "state_dict", None])
@pytest.mark.parametrize("suffix", [".pth", ".pth.tar", ".pt"])
def test_pickled_checkpoints_load_with_or_without_a_wrapper(
    tmp_path: Path, network: EATrack, wrapper: str | None, suffix: str
) -> None:
    path = tmp_path / f"a{suffix}"
    state = network.state_dict()
    torch.save({wrapper: state, "epoch": 300} if wrapper else state, path)
    assert same(build(TINY, read_checkpoint(path)), network)


def test_safetensors_keep_their_metadata_and_hash(tmp_path: Path, network: EATrack) -> None:
    path = tmp_path / "a.safetensors"
    write_checkpoint(path, network, {"model": "eatrack_tiny"}, half=False)
    checkpoint = read_checkpoint(path)
    assert checkpoint.metadata == {"model": "eatrack_tiny"}
    assert checkpoint.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert same(build(TINY, checkpoint), network)
    assert [file.name for file in tmp_path.iterdir()] == ["a.safetensors"]


def test_half_precision_takes_half_the_room_and_is_read_as_float32(tmp_path: Path, network: EATrack) -> None:
    full, half = tmp_path / "full.safetensors", tmp_path / "half.safetensors"
    write_checkpoint(full, network, {}, half=False)
    write_checkpoint(half, network, {}, half=True)
    assert half.stat().st_size < 0.6 * full.stat().st_size
    assert {value.dtype for value in read_checkpoint(half).tensors.values()} == {torch.float32}


@pytest.mark.parametrize("has_bias", [True, False])
def test_heads_load_with_and_without_a_bias(tmp_path: Path, has_bias: bool) -> None:
    path = tmp_path / "a.safetensors"
    write_checkpoint(path, EATrack(replace(TINY, head_bias=has_bias)), {}, half=False)
    loaded = build(replace(TINY, head_bias=not has_bias), read_checkpoint(path))
    assert loaded.architecture.head_bias is has_bias


@pytest.mark.parametrize(("leading", "kind"), [(1, "plain"), (2, "distilled")])
def test_a_deit_position_table_becomes_both_of_ours(tmp_path: Path, network: EATrack, leading: int, kind: str) -> None:
    state = {key: value for key, value in network.state_dict().items() if "pos_embed" not in key}
    state["backbone.pos_embed"] = torch.randn(1, 14 * 14 + leading, TINY.dim)
    state["backbone.cls_token"] = torch.zeros(1, 1, TINY.dim)
    path = tmp_path / f"{kind}.pth"
    torch.save(state, path)
    loaded = build(TINY, read_checkpoint(path))
    assert loaded.backbone.pos_embed_z.shape == (1, 16, TINY.dim)
    assert loaded.backbone.pos_embed_x.shape == (1, 64, TINY.dim)


def test_resizing_a_position_table_is_bicubic_over_its_grid() -> None:
    y, x = torch.meshgrid(torch.arange(14.0), torch.arange(14.0), indexing="ij")
    table = torch.cat([torch.full((1, 2, 2), 99.0), torch.stack([x, y], -1).reshape(1, 196, 2)], dim=1)
    small = resize_position_table(table, 49).reshape(7, 7, 2)
    assert small[3, 3].tolist() == pytest.approx([6.5, 6.5], abs=0.05)
    assert small[0, 6].tolist() == pytest.approx([12.5, 0.5], abs=0.2)


def test_a_table_that_fits_or_is_no_grid_is_left_alone() -> None:
    for tokens in (64, 61):
        table = torch.randn(1, tokens, 8)
        assert resize_position_table(table, 64) is table


def test_what_does_not_fit_is_one_error_with_keys_and_both_shapes(tmp_path: Path, network: EATrack) -> None:
    state = dict(network.state_dict())
    del state["backbone.norm.weight"], state["backbone.norm.bias"]
    state["backbone.extra"] = torch.zeros(3)
    state["box_head.conv5_ctr.weight"] = torch.zeros(1, 7, 1, 1)
    path = tmp_path / "a.pth"
    torch.save(state, path)
    with pytest.raises(CheckpointError) as caught:
        build(TINY, read_checkpoint(path))
    assert str(caught.value) == (
        f"{path}: does not fit this network: 2 keys missing (backbone.norm.bias, backbone.norm.weight); "
        "1 keys unknown (backbone.extra); 1 shapes differ "
        "(box_head.conv5_ctr.weight is (1, 7, 1, 1), needs (1, 2, 1, 1))\n"
        "hint: name the network that it was trained as: --model NAME"
    )


def test_only_the_first_few_keys_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_file({"x": torch.zeros(1)}, path)
    with pytest.raises(CheckpointError, match=r"keys missing \([^,]+, [^,]+, [^,]+, \.\.\.\); 1 keys unknown \(x\)"):
        build(TINY, read_checkpoint(path))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none.pth", None, "no such checkpoint"),
        ("a.zip", b"x", "a checkpoint ends in .safetensors, .pth, .pth.tar, .pt, .ckpt, .bin"),
    ],
)
def test_what_is_no_checkpoint_is_named(tmp_path: Path, name: str, content: bytes | None, message: str) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CheckpointError, match=message):
        read_checkpoint(path)


def test_a_file_without_tensors_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    torch.save({"epoch": 3}, path)
    with pytest.raises(CheckpointError, match="no weights of a network in it; it holds "):
        read_checkpoint(path)
