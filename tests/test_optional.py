from __future__ import annotations

import sys

import pytest

from eatrack_edge.errors import MissingExtra
from eatrack_edge.optional import require


def test_a_module_that_is_there_is_returned() -> None:
    assert require("json", to="read") is __import__("json")


@pytest.mark.parametrize(
    ("module", "hint"),
    [
        ("onnxruntime", "pip install 'eatrack-edge[cpu]', or 'eatrack-edge[gpu]' on a PC with an NVIDIA GPU"),
        ("safetensors.torch", "pip install 'eatrack-edge[export]'"),
        ("never_heard_of", "pip install never_heard_of"),
    ],
)
def test_a_missing_module_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, module: str, hint: str) -> None:
    monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setitem(sys.modules, module.partition(".")[0], None)
    with pytest.raises(MissingExtra) as caught:
        require(module, to="track")
    package = module.partition(".")[0]
    assert str(caught.value) == f"cannot track: {package} is not installed\nhint: {hint}"
    assert caught.value.exit_code == 3
