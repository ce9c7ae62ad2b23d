"""Runs a short track under NVIDIA's compute-sanitizer, which sees accesses out of bounds on the device."""

from __future__ import annotations

import shutil
import subprocess
import sys

from eatrack_edge.benchmarks.proof.plan import Figures, Skipped, Workbench
from eatrack_edge.core.errors import GateFailed

_TOOL = "compute-sanitizer"
_FAULT = 97  # what the tool is told to end with where it found something
_TIMEOUT_S = 500


def sanitize(bench: Workbench) -> Figures:
    """Track a few frames with the engines under ``compute-sanitizer --tool memcheck``.

    Raises:
        Skipped: The tool is not installed, or there are no engines.
        GateFailed: It found a fault, or the run failed.
    """
    _, made = bench.any_pair()
    tool = shutil.which(_TOOL)
    if tool is None:
        raise Skipped(f"{_TOOL} is not installed")
    track = [sys.executable, "-m", "eatrack_edge", "track", "test://?frames=5", "--backend", "tensorrt"]
    command = [tool, "--tool", "memcheck", "--error-exitcode", str(_FAULT), *track, "--model", str(made.track)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    if done.returncode:
        last = (done.stdout + done.stderr).strip().splitlines()[-1:] or ["it says nothing"]
        what = "found a fault" if done.returncode == _FAULT else f"ended with {done.returncode}"
        raise GateFailed(f"{_TOOL} {what}: {last[0]}")
    return {"command": " ".join(["eatrack-edge", *track[3:]])}
