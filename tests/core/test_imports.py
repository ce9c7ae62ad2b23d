from __future__ import annotations

import sys
from pathlib import Path

import pytest

from eatrack_edge.core.errors import MissingExtra
from eatrack_edge.core.imports import require


def test_an_installed_module_is_returned() -> None:
    assert require("json", to="read") is __import__("json")


@pytest.mark.parametrize(
    ("module", "hint"),
    [
        ("onnxruntime", "pip install 'eatrack-edge[cpu]', or 'eatrack-edge[gpu]' on a PC with an NVIDIA GPU"),
        ("openvino", "pip install 'eatrack-edge[openvino]'"),
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


def test_openvino_is_imported_without_its_telemetry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "openvino.py").write_text(
        "try:\n    import openvino_telemetry\n    reported = True\nexcept ImportError:\n    reported = False\n"
    )
    (tmp_path / "openvino_telemetry.py").touch()
    for name in ("openvino", "openvino_telemetry"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    assert require("openvino", to="track").reported is False
    sys.modules.pop("openvino")  # not by monkeypatch, which would put the stand-in back for the tests that follow
    assert __import__("openvino_telemetry"), "hidden only from openvino, and only while it is imported"
