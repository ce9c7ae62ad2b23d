from __future__ import annotations

import resource
import subprocess
import sys

import pytest

import eatrack_edge
from cli.conftest import Run

HEAVY = ["numpy", "cv2", "onnxruntime", "torch", "onnx", "av", "rich.progress", "matplotlib"]


@pytest.mark.parametrize("module", ["eatrack_edge", "eatrack_edge.cli"])
def test_imports_nothing_heavy(module: str) -> None:
    code = f"import sys, {module}; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_deployed_tracker_imports_numpy_and_opencv_alone() -> None:
    code = (
        "import sys, eatrack_edge.tracking.tracker, eatrack_edge.sources.registry;"
        "print([m for m in ('torch', 'onnx', 'safetensors', 'onnxruntime', 'av', 'rich', 'typer') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_help_answers_in_under_0_3_s() -> None:
    # Time on the processor, not on the clock: a busy machine is not the command's fault. The best of seven.
    def seconds() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "eatrack_edge", "--help"], capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(seconds() for _ in range(7)) < 0.3


def test_the_version_is_printed(run: Run) -> None:
    assert run("--version").out == f"eatrack-edge {eatrack_edge.__version__}\n"


def test_an_unknown_option_is_a_usage_error(run: Run) -> None:
    assert run("track", "test://", "--bxo", "1,2,3,4").code == 2
