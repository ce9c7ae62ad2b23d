"""Checks of the backends: each runs the bundled model once, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from eatrack_edge.core.resources import DEFAULT_MODEL
from eatrack_edge.diagnosis.environment_checks import show_system_packages
from eatrack_edge.diagnosis.findings import Finding
from eatrack_edge.diagnosis.probe import Answer, ask
from eatrack_edge.machine.board import read_board

_SYSTEM_PYTHON = "/usr/bin/python3"
_PATIENCE_S = 20.0
_APT = "sudo apt install python3-libnvinfer"
_BUILD = f"eatrack-edge build {DEFAULT_MODEL} --device auto --precision fp16"
_DRIVER = "proc/driver/nvidia/version"
_WITH_CUDA = "pip install 'onnxruntime-gpu[cuda,cudnn]'"
_WITHOUT_CUDA = "pip uninstall -y onnxruntime-gpu && pip install onnxruntime"


def check_onnxruntime(root: Path) -> list[Finding]:
    """ONNX Runtime, and whether the provider that runs is the one that was asked for."""
    answer = ask("onnxruntime")
    if "error" in answer:
        return [_failed("onnxruntime", answer, root)]
    text = f"{answer['version']} runs as {answer['runs_as']}"
    if answer["asked_for"] not in answer["runs_as"]:
        text += f", though {answer['asked_for']} was asked for: its driver or libraries are missing"
        fix = _WITH_CUDA if (root / _DRIVER).is_file() else _WITHOUT_CUDA
        return [Finding("onnxruntime", "note", text, fix, answer)]
    return [Finding("onnxruntime", "ok", text, facts=answer)]


def check_openvino(root: Path) -> list[Finding]:
    """OpenVINO, which is the faster one on a PC's CPU."""
    answer = ask("openvino")
    if "error" in answer:
        return [_failed("openvino", answer, root)]
    return [Finding("openvino", "ok", f"{answer['version']} runs as {answer['runs_as']}", facts=answer)]


def check_tensorrt(root: Path) -> list[Finding]:
    """TensorRT: here, hidden by this environment, or nowhere."""
    answer = ask("tensorrt")
    is_orin = bool(read_board(root).kind)
    if "error" not in answer:
        if answer["engine"]:
            return [Finding("tensorrt", "ok", f"{answer['version']} runs as {answer['runs_as']}", facts=answer)]
        text = f"{answer['version']} is here for {answer['gpu']}, but no engine is built yet"
        return [Finding("tensorrt", "note", text, _BUILD, answer)]
    if not answer.get("is_absent"):
        return [_failed("tensorrt", answer, root)]
    hidden = system_tensorrt()
    if hidden:
        text = f"{hidden} is visible from {_SYSTEM_PYTHON}, not from this environment"
        return [Finding("tensorrt", "problem", text, show_system_packages(), answer | {"system_version": hidden})]
    if is_orin:
        return [Finding("tensorrt", "problem", "not installed; it is Orin's backend", _APT, answer)]
    return [Finding("tensorrt", "note", "not installed; only machines with an NVIDIA GPU need it", facts=answer)]


def system_tensorrt() -> str:
    """Version of the TensorRT that the system's own Python imports; empty where it has none, or is this one."""
    if not Path(_SYSTEM_PYTHON).is_file() or Path(sys.executable) == Path(_SYSTEM_PYTHON):
        return ""
    # -I: neither this folder nor PYTHONPATH, so that what is found is the system's.
    command = [_SYSTEM_PYTHON, "-I", "-c", "import tensorrt; print(tensorrt.__version__)"]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_PATIENCE_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _failed(name: str, answer: Answer, root: Path) -> Finding:
    hint = answer.get("hint", "")
    if answer.get("is_absent"):
        # Orin's backend is TensorRT; it needs no other.
        return Finding(name, "note", "not installed", "" if read_board(root).kind else hint, answer)
    return Finding(name, "problem", f"does not run: {answer['error']}", hint, answer)
