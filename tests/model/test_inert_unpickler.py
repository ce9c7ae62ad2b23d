"""A checkpoint is data: whatever it asks for, none of it runs."""

from __future__ import annotations

import builtins
import collections
import copyreg
import io
import os
import pickle
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from eatrack_edge.core.errors import CheckpointError
from eatrack_edge.model import inert_unpickler
from eatrack_edge.model.checkpoints import read_checkpoint
from eatrack_edge.model.inert_unpickler import Stub, unpickle

pytestmark = pytest.mark.torch
WEIGHTS = {"a.weight": torch.arange(6.0).reshape(2, 3)}


class Reduced:
    """Pickled as a call of a function."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self._call = function, arguments

    def __reduce__(self) -> Any:
        return self._call

    def __call__(self) -> None:
        """Pickle only asks whether what is called could be."""


class WithState:
    """Pickled as an object that takes another one as its state."""

    def __init__(self, state: Any) -> None:
        self._state = state

    def __reduce__(self) -> Any:
        return WithState, (None,), self._state


@pytest.fixture
def marker(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "marker"
    yield path
    assert not path.exists(), "code of the file ran"


def touch(marker: Path) -> str:
    return f"import pathlib; pathlib.Path({str(marker)!r}).touch()"


def attacks(marker: Path) -> dict[str, Any]:
    shell, code = f"touch {marker}", touch(marker)
    system = Reduced(os.system, shell)
    objects = np.empty(1, object)
    objects[0] = system
    return {
        "os.system": system,
        "eval": Reduced(builtins.eval, f"__import__('os').system({shell!r})"),
        "exec": Reduced(builtins.exec, code),
        "Popen": Reduced(subprocess.check_call, ["touch", str(marker)]),
        "getattr": Reduced(getattr, Reduced(__import__, "os"), "system"),
        "called twice": Reduced(Reduced(getattr, Reduced(__import__, "os"), "system"), shell),
        "in a list of a tuple": [({"x": [system]},)],
        "as a key": {Reduced(os.getcwd): 1, "y": system},
        "as a state": WithState({"setup": system}),
        "in an OrderedDict": collections.OrderedDict(x=system),
        "in a defaultdict": collections.defaultdict(list, x=system),
        "an array of objects": objects,
        "as a storage": Reduced(torch._utils._rebuild_tensor_v2, system, 0, (1,), (1,), False, {}),
        "as a hook": Reduced(
            torch._utils._rebuild_tensor_v2, torch.zeros(1).untyped_storage(), 0, (1,), (1,), False, system
        ),
        "as a subclass of a tensor": Reduced(
            torch._tensor._rebuild_from_type_v2, os.system, torch.Tensor, (shell,), {}
        ),
        "as a parameter": Reduced(torch._utils._rebuild_parameter, system, False, {}),
        "copyreg": [
            Reduced(copyreg.add_extension, "os", "system", 7),
            Reduced(copyreg._reconstructor, system, dict, {}),
        ],  # type: ignore[attr-defined]
        "load of torch": Reduced(torch.load, io.BytesIO(b"x")),
    }


NAMES = list(attacks(Path("marker")))


@pytest.mark.parametrize("is_zip", [True, False], ids=["zip", "stream"])
@pytest.mark.parametrize("name", NAMES)
def test_nothing_beside_the_weights_runs(tmp_path: Path, marker: Path, name: str, is_zip: bool) -> None:
    path = tmp_path / "a.pth"
    try:
        torch.save({"net": WEIGHTS, "beside": attacks(marker)[name]}, path, _use_new_zipfile_serialization=is_zip)
    except TypeError:
        pytest.skip("torch does not write it so")
    assert torch.equal(read_checkpoint(path).tensors["a.weight"], WEIGHTS["a.weight"])


def test_the_attacks_are_real(tmp_path: Path) -> None:
    marker = tmp_path / "reached"
    for name in ("os.system", "eval", "exec", "Popen", "called twice", "in a list of a tuple", "an array of objects"):
        pickle.loads(pickle.dumps(attacks(marker)[name]))
        assert marker.exists(), name
        marker.unlink()


SHELL = b"touch {marker}"
OPCODES = {
    "GLOBAL and REDUCE": b"cos\nsystem\n(V{shell}\ntR.",
    "eval by GLOBAL": b"c__builtin__\neval\n(V__import__('os').system({shell!r})\ntR.",
    "INST": b"(V{shell}\nios\nsystem\n.",
    "OBJ": b"(cos\nsystem\nV{shell}\no.",
    "STACK_GLOBAL": b"\x80\x04\x8c\x02os\x8c\x06system\x93V{shell}\n\x85R.",
    "NEWOBJ": b"\x80\x02cos\nsystem\nV{shell}\n\x85\x81.",
    "NEWOBJ_EX": b"\x80\x04\x8c\x02os\x8c\x06system\x93V{shell}\n\x85}\x92.",
    "a dotted name": b"\x80\x04\x8c\x02os\x8c\x0bpath.os.abc\x93V{shell}\n\x85R.",
    "BUILD of a class": b"cos\n_wrap_close\n}(V__setstate__\ncos\nsystem\nubV{shell}\nb.",
    "BUILD of a function": b"ctorch._utils\n_rebuild_tensor_v2\n(}}V__defaults__\n(V{shell}\ntstb(V1\ntR.",
    "BUILD of slots": b"ccollections\nOrderedDict\n)R(N}V__class__\ncos\nsystem\nstb.",
    "an extension code": b"\x80\x02\x82\xf0V{shell}\n\x85R.",
    "PERSID": b"Pos.system\n.",
    "BINPERSID": b"(cos\nsystem\nV{shell}\ntQ.",
}


@pytest.mark.parametrize("name", OPCODES)
def test_no_opcode_reaches_code(tmp_path: Path, marker: Path, name: str) -> None:
    shell = f"touch {marker}"
    data = OPCODES[name].replace(b"{shell!r}", repr(shell).encode()).replace(b"{shell}", shell.encode())
    copyreg.add_extension("os", "system", 0xF0)
    copyreg._extension_cache[0xF0] = os.system  # type: ignore[attr-defined]  # as if it had been used before
    path = tmp_path / "a.pth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", data)
    try:
        with pytest.raises(CheckpointError):
            read_checkpoint(path)
    finally:
        copyreg.remove_extension("os", "system", 0xF0)
    assert inert_unpickler._rebuild_tensor.__defaults__ is None
    assert inert_unpickler._rebuild_tensor.__dict__ == {}


def test_no_module_is_imported_for_a_pickle(tmp_path: Path, marker: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "runs_on_import.py").write_text(f"{touch(marker)}\nclass Settings: pass\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert isinstance(unpickle(io.BytesIO(b"cruns_on_import\nSettings\n)\x81.")), Stub)
    assert "runs_on_import" not in sys.modules


def test_all_that_a_pickle_can_name_is_of_this_module() -> None:
    for value in inert_unpickler._KNOWN.values():
        home = value.__module__ if callable(value) else type(value).__module__
        assert home == inert_unpickler.__name__


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param((0, (100,), (1,)), id="beyond the storage"),
        pytest.param((-1, (1,), (1,)), id="before the storage"),
        pytest.param((0, (2,), (-1,)), id="backwards"),
        pytest.param(("0", (1,), (1,)), id="not a number"),
    ],
)
def test_a_view_beyond_its_storage_is_refused(tmp_path: Path, arguments: tuple[Any, ...]) -> None:
    path = tmp_path / "a.pth"
    storage = torch.zeros(4)._typed_storage()
    torch.save({"net": {"a": Reduced(torch._utils._rebuild_tensor_v2, storage, *arguments, False, {})}}, path)
    with pytest.raises(CheckpointError, match="damaged, or cut off"):
        read_checkpoint(path)
