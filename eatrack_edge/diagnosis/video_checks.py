"""Checks of what reads and writes pictures and videos, and of the disk they and the engines are written to."""

from __future__ import annotations

import shutil
from pathlib import Path

from eatrack_edge.diagnosis.findings import Finding
from eatrack_edge.diagnosis.probe import ask
from eatrack_edge.inference.tensorrt.manifest import engine_home

_LITTLE_BYTES = 1e9


def check_opencv(_root: Path) -> list[Finding]:
    """OpenCV, and whether it opens windows and GStreamer pipelines."""
    answer = ask("cv2")
    if "error" in answer:
        hint = answer.get("hint", "")
        if "libGL" in answer["error"]:
            hint = "pip uninstall -y opencv-python && pip install opencv-python-headless  # or: sudo apt install libgl1"
        return [Finding("opencv", "problem", f"does not import: {answer['error']}", hint, answer)]
    windows = "no windows" if answer["gui"] == "NONE" else f"windows by {answer['gui']}"
    gstreamer = "GStreamer" if answer["gstreamer"].startswith("YES") else "no GStreamer"
    text = f"{answer['version']}, {windows}, {gstreamer}; needed only for --show and pipelines of your own"
    return [Finding("opencv", "ok", text, facts=answer)]


def check_pyav(_root: Path) -> list[Finding]:
    """PyAV, which reads and writes every video file."""
    answer = ask("av")
    if "error" in answer:
        return [Finding("pyav", "problem", f"does not import: {answer['error']}", answer.get("hint", ""), answer)]
    encoders = ", ".join(answer["encoders"]) or "nothing"
    return [Finding("pyav", "ok", f"{answer['version']}, encodes {encoders}", facts=answer)]


def check_disk(_root: Path) -> list[Finding]:
    """Room for engines and their caches."""
    folder = engine_home()
    there = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(there).free
    text = f"{free / 1e9:.1f} GB free for engines in {folder}"
    facts: dict[str, object] = {"folder": str(folder), "free_bytes": free}
    if free < _LITTLE_BYTES:
        return [Finding("disk", "problem", text, "export EATRACK_HOME=/a/folder/with/room", facts)]
    return [Finding("disk", "ok", text, facts=facts)]
