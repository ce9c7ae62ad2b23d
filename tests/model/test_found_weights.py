"""Checkpoints as training programs write them, and files that are none."""

from __future__ import annotations

import argparse
import collections
import datetime
import io
import pickle
import struct
import sys
import tarfile
import types
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from eatrack_edge.core.errors import CheckpointError
from eatrack_edge.model.checkpoints import build, read_checkpoint
from eatrack_edge.model.eatrack import EATrack
from eatrack_edge.model.registry import architecture

pytestmark = pytest.mark.torch

TINY = architecture("eatrack_tiny")


@pytest.fixture(scope="module")
def network() -> EATrack:
    torch.manual_seed(1)
    return EATrack(TINY).eval()


def of_package(module: str, name: str, **attributes: Any) -> Any:
    """An object of a class of a package that is not installed here."""
    parts = module.split(".")
    for count in range(1, len(parts) + 1):
        name_of_part = ".".join(parts[:count])
        sys.modules.setdefault(name_of_part, types.ModuleType(name_of_part))
    made = type(name, (), {"__module__": module})
    setattr(sys.modules[module], name, made)
    found = made()
    found.__dict__.update(attributes)
    return found


def other(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {key: value + 1 for key, value in state.items()}


def prefixed(prefix: str, state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {prefix + key: value for key, value in state.items()}


def trainer_of_ostrack(state: dict[str, Tensor]) -> Any:
    settings = of_package("lib.train.admin.settings", "Settings", script_name="ostrack", batchsize=32)
    settings.env = of_package("lib.train.admin.local", "EnvironmentSettings", workspace_dir="/data")
    meter = of_package("lib.train.admin.stats", "AverageMeter", avg=0.5, history=[0.1, np.float64(0.2)])
    stats = collections.OrderedDict(train=collections.OrderedDict(loss=meter))
    optimizer = torch.optim.AdamW([nn.Parameter(torch.zeros(3))]).state_dict()
    return {
        "epoch": 300,
        "actor_type": "OSTrackActor",
        "net_type": "OSTrack",
        "net": state,
        "net_info": None,
        "constructor": None,
        "optimizer": optimizer,
        "stats": stats,
        "settings": settings,
    }


def lightning(state: dict[str, Tensor]) -> Any:
    hyper = of_package("omegaconf.dictconfig", "DictConfig", _content={"lr": 1e-4})
    extra = {"criterion.weight": torch.ones(2), "metric.total": torch.tensor(3)}
    return {
        "state_dict": collections.OrderedDict({**prefixed("model.", state), **extra}),
        "hyper_parameters": hyper,
        "callbacks": {"ModelCheckpoint": {"best_model_path": Path("/x"), "best_model_score": torch.tensor(0.7)}},
        "pytorch-lightning_version": "2.4.0",
    }


LAYOUTS: dict[str, Callable[[dict[str, Tensor]], Any]] = {
    "OSTrack's trainer": trainer_of_ostrack,
    "Lightning": lightning,
    "numpy scalars": lambda state: {"net": state, "best": np.float64(0.7), "epoch": np.int64(3)},
    "numpy arrays": lambda state: {
        "net": state,
        "random": np.random.default_rng(0).bit_generator.state,
        "a": np.ones(2),
    },
    "argparse": lambda state: {"model": state, "args": argparse.Namespace(lr=0.1, out=Path("/tmp"))},
    "a date": lambda state: {"model": state, "when": datetime.datetime(2024, 1, 1), "tags": {"a", "b"}},
    "compiled": lambda state: {"net": prefixed("_orig_mod.", state)},
    "compiled and parallel": lambda state: {"net": prefixed("module._orig_mod.", state)},
    "parallel and compiled": lambda state: {"net": prefixed("_orig_mod.module.", state)},
    "a part compiled": lambda state: {key.replace("backbone.", "backbone._orig_mod."): v for key, v in state.items()},
    "a part checkpointed": lambda state: {
        "net": {key.replace("blocks.0.", "blocks.0._checkpoint_wrapped_module."): v for key, v in state.items()}
    },
    "sharded": lambda state: {"model_state": prefixed("_fsdp_wrapped_module._orig_mod.", state)},
    "model_state_dict": lambda state: {"epoch": 1, "model_state_dict": state, "loss": torch.tensor(0.5)},
    "a wrapper in a wrapper": lambda state: {"state_dict": {"net": state}},
    "DeepSpeed": lambda state: {"module": prefixed("module.", state), "ds_version": "0.14"},
    "parameters": lambda state: {
        "net": {key: nn.Parameter(v) if v.is_floating_point() else v for key, v in state.items()}
    },
    "a subclass of dict": lambda state: (
        collections.UserDict() if not state else collections.defaultdict(int, net=state)
    ),
}


@pytest.mark.parametrize("is_zip", [True, False], ids=["zip", "stream"])
@pytest.mark.parametrize("name", LAYOUTS)
def test_the_weights_are_found_and_are_those_of_the_network(
    tmp_path: Path, network: EATrack, name: str, is_zip: bool
) -> None:
    path = tmp_path / "OSTrack_ep0300.pth.tar"
    torch.save(LAYOUTS[name](dict(network.state_dict())), path, _use_new_zipfile_serialization=is_zip)
    assert equals(path, network)


def equals(path: Path, network: EATrack) -> bool:
    wanted, found = network.state_dict(), build(TINY, read_checkpoint(path)).state_dict()
    return all(torch.equal(found[key], wanted[key]) for key in wanted if "num_batches" not in key)


@pytest.mark.parametrize("suffix", [".pth", ".ckpt", ".bin"])
@pytest.mark.parametrize("is_parallel", [True, False])
@pytest.mark.parametrize("is_zip", [True, False], ids=["zip", "stream"])
def test_a_network_that_was_pickled_whole_is_read(
    tmp_path: Path, network: EATrack, suffix: str, is_parallel: bool, is_zip: bool
) -> None:
    path = tmp_path / f"a{suffix}"
    whole = nn.DataParallel(network) if is_parallel else network
    torch.save({"model": whole}, path, _use_new_zipfile_serialization=is_zip)
    assert equals(path, network)


@pytest.mark.parametrize(
    ("held", "taken", "note"),
    [
        pytest.param(lambda s: {"model": other(s), "model_ema": s}, "model_ema", "`model`", id="beside model"),
        pytest.param(lambda s: {"net": other(s), "ema": {"module": s}}, "ema", "`net`", id="in a wrapper"),
        pytest.param(
            lambda s: {"state_dict": other(s), "state_dict_ema": s}, "state_dict_ema", "`state_dict`", id="timm"
        ),
        pytest.param(
            lambda s: {"state_dict": {**prefixed("model.", other(s)), **prefixed("model_ema.", s)}},
            "model_ema.",
            "`model.`",
            id="by prefix",
        ),
        pytest.param(
            lambda s: {"model": other(s), "ema": {"decay": 0.999, "shadow": s}}, "ema", "`model`", id="a shadow"
        ),
        pytest.param(
            lambda s: {"model": other(s), "swa": {**prefixed("module.", s), "n_averaged": torch.tensor(3)}},
            "swa",
            "`model`",
            id="torch's AveragedModel",
        ),
        pytest.param(
            lambda s: {
                "state_dict": {
                    **prefixed("net._orig_mod.", other(s)),
                    **prefixed("ema_net.module._orig_mod.", s),
                    "ema_net.n_averaged": torch.tensor(3),
                }
            },
            "ema_net.",
            "`net.`",
            id="Lightning, compiled and averaged",
        ),
    ],
)
def test_averaged_weights_are_chosen_and_the_choice_is_noted(
    tmp_path: Path, network: EATrack, held: Callable[[Any], Any], taken: str, note: str
) -> None:
    path = tmp_path / "a.pth"
    torch.save(held(dict(network.state_dict())), path)
    assert equals(path, network)
    (said,) = read_checkpoint(path).notes
    assert f"`{taken}`" in said
    assert said.endswith(f"the file also holds {note}")


def test_of_two_networks_in_one_file_always_the_same_is_taken_and_the_other_is_noted(
    tmp_path: Path, network: EATrack
) -> None:
    path, state = tmp_path / "a.pth", dict(network.state_dict())
    torch.save({"model": {**prefixed("teacher.", other(state)), **prefixed("student.", state)}}, path)
    assert equals(path, network)
    assert read_checkpoint(path).notes == (
        "the keys that begin with `student.` were taken; the file also holds `teacher.`",
    )


def test_an_average_whose_weights_have_no_names_is_left_out_and_that_is_noted(tmp_path: Path, network: EATrack) -> None:
    path = tmp_path / "a.pth"
    torch.save({"net": network.state_dict(), "ema": {"decay": 0.999, "shadow_params": [*network.parameters()]}}, path)
    assert equals(path, network)
    assert read_checkpoint(path).notes == ("`ema` was left out: its weights have no names",)


@pytest.mark.parametrize(
    ("held", "words"),
    [
        ({"student": {"a": torch.ones(1)}, "epoch": 3}, "`student`, `epoch`"),
        ([torch.ones(1)], "a list, not a mapping of names"),
    ],
)
def test_a_file_whose_weights_are_not_found_says_what_it_holds(tmp_path: Path, held: object, words: str) -> None:
    path = tmp_path / "a.pth"
    torch.save(held, path)
    with pytest.raises(CheckpointError) as caught:
        read_checkpoint(path)
    assert caught.value.message == f"{path}: no weights of a network in it; it holds {words}"


def test_the_settings_of_an_average_are_not_weights(tmp_path: Path, network: EATrack) -> None:
    path = tmp_path / "a.pth"
    torch.save({"net": network.state_dict(), "ema": {"decay": 0.999, "updates": torch.tensor(3)}}, path)
    assert equals(path, network)
    assert read_checkpoint(path).notes == ()


def test_views_types_and_shared_storages_are_what_torch_reads(tmp_path: Path) -> None:
    base = torch.arange(24.0).reshape(4, 6)
    held = {
        "transposed": base.t(),
        "part": base[1:3, 2:5],
        "scalar": torch.tensor(3.5),
        "empty": torch.zeros(0, 3),
        "half": base.half(),
        "bfloat16": base.bfloat16(),
        "long": torch.arange(3),
        "bool": torch.tensor([True, False]),
    }
    for is_zip in (True, False):
        path = tmp_path / "a.pth"
        torch.save(held, path, _use_new_zipfile_serialization=is_zip)
        found = read_checkpoint(path).tensors
        assert found.keys() == held.keys()
        for key, value in held.items():
            assert torch.equal(found[key], value.float()), key


def test_a_tar_archive_of_the_first_torch_is_read(tmp_path: Path) -> None:
    path = tmp_path / "old.pth.tar"
    values = torch.arange(6.0)
    tensors = pickle.dumps(1, 2) + pickle.dumps((7, 3, "torch.FloatTensor"), 2)
    tensors += struct.pack("<i4x2q2qq", 2, 2, 2, 3, 1, 1)  # 2 by 2, strides 3 and 1, from the second value
    storage = b"\x80\x02K\x03X\x03\x00\x00\x00cpuctorch\nFloatStorage\n\x87."
    storages = pickle.dumps(1, 2) + storage + struct.pack("<q", 6) + values.numpy().tobytes() + pickle.dumps([], 2)
    members = {"storages": storages, "tensors": tensors, "pickle": b"\x80\x02}U\x01aU\x017Qs."}
    with tarfile.open(path, "w") as archive:
        for name, data in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    assert read_checkpoint(path).tensors["a"].tolist() == [[1, 2], [4, 5]]


LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:01\nsize 19332096\n"


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "an empty file"),
        (b"\0" * 4096, "begins with zeros alone"),
        (LFS, "a Git LFS pointer, not the weights themselves\nhint: fetch them, in the clone"),
        (b"\n<!DOCTYPE html><html><title>Google Drive</title>", "a web page, not weights"),
        (b"\xef\xbb\xbf<html>", "a web page, not weights"),
        (b"Entry not found", "a text file, not weights; it begins with `Entry not found`"),
        (b'{"error": "gone"}', "a text file, not weights"),
        (b"\x1f\x8b\x08\0\0\0\0\0", "a gzip archive, not weights\nhint: unpack it"),
        (bytes(range(200, 256)) * 9, ""),
        (b"\x80\x02}.", ""),
    ],
)
def test_a_file_that_is_no_weights_is_named(tmp_path: Path, suffix: str, content: bytes, message: str) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(content)
    with pytest.raises(CheckpointError) as caught:
        read_checkpoint(path)
    said = str(caught.value)
    assert message in said
    assert_no_advice(said)


def assert_no_advice(said: str) -> None:
    """Nobody is told to read a file in a way that runs its code."""
    assert [word for word in ("weights_only", "pickle", "state_dict", "\x1b") if word in said] == []


@pytest.mark.parametrize("is_zip", [True, False], ids=["zip", "stream"])
@pytest.mark.parametrize("share", [0.2, 0.9, 0.999])
def test_a_file_that_is_cut_off_says_so(tmp_path: Path, network: EATrack, share: float, is_zip: bool) -> None:
    path = tmp_path / "a.pth"
    torch.save({"net": network.state_dict()}, path, _use_new_zipfile_serialization=is_zip)
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(CheckpointError) as caught:
        read_checkpoint(path)
    assert "cut off" in caught.value.message
    assert_no_advice(str(caught.value))


def test_other_archives_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "x")
    with pytest.raises(CheckpointError, match=r"a zip archive without weights; it holds readme\.txt"):
        read_checkpoint(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", b"N.")
        archive.writestr("a/constants.pkl", b"N.")
    with pytest.raises(CheckpointError, match="a TorchScript program, which holds code beside the weights"):
        read_checkpoint(path)


def test_a_file_is_read_by_what_is_in_it_not_by_its_name(tmp_path: Path, network: EATrack) -> None:
    from safetensors.torch import save_file

    torch.save(network.state_dict(), tmp_path / "zip.safetensors")
    save_file(network.state_dict(), tmp_path / "safetensors.pth")
    assert equals(tmp_path / "zip.safetensors", network)
    assert equals(tmp_path / "safetensors.pth", network)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_named(tmp_path: Path, network: EATrack, value: float) -> None:
    path = tmp_path / "a.pth"
    state = dict(network.state_dict())
    state["backbone.norm.weight"] = torch.full_like(state["backbone.norm.weight"], value)
    torch.save({"net": state}, path)
    with pytest.raises(CheckpointError) as caught:
        read_checkpoint(path)
    assert caught.value.message == (f"{path}: 1 of {len(state)} weights are not finite numbers: backbone.norm.weight")
    assert caught.value.hint == "take an earlier checkpoint: training diverged, or the file is damaged"


def arrays(state: dict[str, Tensor], dtype: str = "f4", order: str = "C") -> dict[str, np.ndarray]:
    return {key: np.asarray(value.numpy(), dtype, order=order) for key, value in state.items()}  # type: ignore[call-overload]


@pytest.mark.parametrize("dtype", ["f4", "f8", "f2"])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("how", ["torch.save", "protocol 2", "protocol 4", "protocol 5"])
def test_weights_may_be_numpy_arrays(network: EATrack, tmp_path: Path, how: str, dtype: str, order: str) -> None:
    path = tmp_path / "weights.pth"
    held = {"model": arrays(network.state_dict(), dtype, order), "epoch": 3}
    if how == "torch.save":
        torch.save(held, path)
    else:
        path.write_bytes(pickle.dumps(held, protocol=int(how[-1])))
    rebuilt = build(TINY, read_checkpoint(path)).state_dict()
    for key, value in network.state_dict().items():
        torch.testing.assert_close(rebuilt[key], value, atol=1e-3 if dtype == "f2" else 1e-7, rtol=1e-3)


@pytest.mark.parametrize(
    "array",
    [
        pytest.param(np.array(["text"]), id="text"),
        pytest.param(np.array([{}], object), id="objects"),
        pytest.param(np.arange(3, dtype=">f4"), id="big-endian"),
    ],
)
def test_arrays_that_are_no_weights_are_left_out(network: EATrack, tmp_path: Path, array: np.ndarray) -> None:
    path = tmp_path / "weights.pth"
    path.write_bytes(pickle.dumps(arrays(network.state_dict()) | {"names": array}))
    assert "names" not in read_checkpoint(path).tensors
