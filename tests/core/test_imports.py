from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from eatrack_edge.core import imports
from eatrack_edge.core.errors import MissingExtra
from eatrack_edge.core.imports import require


def test_an_installed_module_is_returned() -> None:
    assert require("json", to="read") is __import__("json")


@pytest.mark.parametrize(
    ("module", "hint"),
    [
        ("onnxruntime", "pip install onnxruntime; or onnxruntime-gpu on a PC with an NVIDIA GPU, never both"),
        ("openvino", "pip install openvino"),
        ("torch", "pip install torch onnx onnxscript safetensors onnxruntime"),
        ("safetensors.torch", "pip install safetensors"),
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


ROOT = Path(__file__).parents[2]


def test_no_hint_and_no_page_installs_from_an_index_that_has_no_such_package() -> None:
    """Until there is a release, the package is installed from a clone or a wheel."""
    texts = [
        *(ROOT / "eatrack_edge").rglob("*.py"),
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *ROOT.glob("*/README.md"),
        *(ROOT / "examples").glob("*.py"),
    ]
    wrong = re.compile(r"eatrack-edge\[|pip install (--?\S+ )*'?eatrack[-_]edge\b(?!\S*\.whl)")
    assert [str(path) for path in texts if wrong.search(path.read_text(encoding="utf-8"))] == []


def test_every_package_that_a_hint_installs_is_one_that_we_know() -> None:
    known = (ROOT / "pyproject.toml").read_text(encoding="utf-8").partition("[tool.")[0]
    for hint in imports._HOW_TO_GET.values():
        for command in re.findall(r"pip install ([^;]+)", hint):
            for package in command.split():
                assert re.search(rf'"{re.escape(package)}[">=;]', known), package


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
