"""Checks of the Python environment: version, kind of environment, packages that stand in each other's way."""

from __future__ import annotations

import platform
import sys
from importlib import metadata
from pathlib import Path

from eatrack_edge.diagnosis.findings import Finding
from eatrack_edge.machine.board import read_board

_ONE_OF = (
    # Each row's packages install one module; pip lets them overwrite each other and `pip check` sees nothing.
    ("onnxruntime", ("onnxruntime", "onnxruntime-gpu", "onnxruntime-openvino", "onnxruntime-directml")),
    ("cv2", ("opencv-python", "opencv-python-headless", "opencv-contrib-python", "opencv-contrib-python-headless")),
)
_CALLED = {"venv": "a venv", "conda": "conda", "system": "the system"}
# From this release on PyPI has aarch64 wheels; they hold code for server GPUs and Thor only, none for Orin's SM 8.7.
_SERVER_ONLY = (1, 29)


def environment_kind() -> str:
    """``venv``, ``conda`` or ``system``: where pip puts packages for this interpreter."""
    if sys.prefix != sys.base_prefix:
        return "venv"
    return "conda" if (Path(sys.prefix) / "conda-meta").is_dir() else "system"


def sees_system_packages() -> bool:
    """Whether the system's own packages, JetPack's TensorRT and OpenCV among them, can be imported here."""
    if environment_kind() != "venv":
        return environment_kind() == "system"
    try:
        text = (Path(sys.prefix) / "pyvenv.cfg").read_text(encoding="utf-8")
    except OSError:
        return False
    settings = {key.strip(): value.strip() for key, _, value in (line.partition("=") for line in text.splitlines())}
    return settings.get("include-system-site-packages", "").lower() == "true"


def check_python(root: Path) -> list[Finding]:
    """The interpreter; on a Jetson an environment without the system's packages has no TensorRT."""
    kind, sees = environment_kind(), sees_system_packages()
    text = f"{platform.python_version()} in {_CALLED[kind]}"
    if kind != "system":
        text += f", system packages {'visible' if sees else 'hidden'}"
    facts: dict[str, object] = {
        "version": platform.python_version(),
        "executable": sys.executable,
        "environment": kind,
        "sees_system_packages": sees,
    }
    is_blind = bool(read_board(root).kind) and not sees
    fix = show_system_packages() if is_blind else ""
    return [Finding("python", "note" if is_blind else "ok", text, fix, facts)]


def show_system_packages() -> str:
    """The command after which this environment sees the system's packages."""
    if environment_kind() == "venv":
        return f"sed -i 's/\\(include-system-site-packages = \\).*/\\1true/' {sys.prefix}/pyvenv.cfg"
    return "/usr/bin/python3 -m venv --system-site-packages .venv"


def check_conflicts(root: Path) -> list[Finding]:
    """Packages that overwrite each other, and packages that cannot work on this board."""
    installed, board = _installed(), read_board(root)
    found: list[Finding] = []
    for module, names in _ONE_OF:
        both = [name for name in names if name in installed]
        if len(both) > 1:
            text = f"{' and '.join(both)} are both installed and overwrite each other as `{module}`"
            # Removing one of them breaks the module, so all go and one comes back.
            fix = f"pip uninstall -y {' '.join(both)} && pip install {both[0]}"
            found.append(Finding("packages", "problem", text, fix, {"conflict": both}))
    version = installed.get("onnxruntime-gpu", "")
    if board.kind and version and _numbers(version) >= _SERVER_ONLY:
        text = f"onnxruntime-gpu {version} holds no code for Orin's GPU"
        fix = "pip uninstall -y onnxruntime-gpu  # TensorRT is Orin's backend"
        found.append(Finding("packages", "problem", text, fix, {"useless": ["onnxruntime-gpu"]}))
    foreign = sorted(name for name in installed if name.startswith("tensorrt") and name.endswith("-libs"))
    if board.jetpack.startswith("6") and foreign:
        text = f"{', '.join(foreign)} from pip is not made for JetPack 6 and hides its own TensorRT"
        fix = f"pip uninstall -y tensorrt {' '.join(foreign)}"
        found.append(Finding("packages", "problem", text, fix, {"useless": foreign}))
    return found or [Finding("packages", "ok", "none overwrite each other")]


def _installed() -> dict[str, str]:
    """Version by distribution, named as PyPI names it."""
    found: dict[str, str] = {}
    for distribution in metadata.distributions():
        name = distribution.metadata["Name"]
        if name:  # a half-removed package has a folder without one
            found[name.lower().replace("_", "-")] = distribution.version
    return found


def _numbers(version: str) -> tuple[int, ...]:
    parts = version.split(".")[:2]
    return tuple(int(part) for part in parts if part.isdigit())
