"""One probe in a process of its own: ``python -m eatrack_edge.diagnosis.probe onnxruntime``.

A package that does not fit the machine may end the process that imports it. Then the probe dies, not the doctor. The
answer is one line of JSON, the last of stdout: what was found, or ``error`` and ``hint``.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from eatrack_edge.core.errors import EATrackError, EngineMismatch, MachineError, MissingExtra
from eatrack_edge.core.imports import require
from eatrack_edge.core.resources import DEFAULT_MODEL

if TYPE_CHECKING:
    from eatrack_edge.inference.backend import Backend

Answer = dict[str, Any]
_PATIENCE_S = 60.0


def ask(name: str, *, python: str = sys.executable) -> Answer:
    """Run a probe and wait for its answer.

    Args:
        name: One of ``PROBES``.
        python: The interpreter that runs it.

    Returns:
        What the probe found; ``error``, and where there is one ``hint``, if it failed or died.
    """
    command = [python, "-m", "eatrack_edge.diagnosis.probe", name]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_PATIENCE_S, check=False
        )
    except subprocess.TimeoutExpired:
        return {"error": f"gave no answer in {_PATIENCE_S:.0f} s"}
    try:
        answer: Answer = json.loads(done.stdout.splitlines()[-1])
    except (ValueError, IndexError):
        return {"error": _last_words(done)}
    return answer


def _last_words(done: subprocess.CompletedProcess[str]) -> str:
    if done.returncode < 0:
        return f"ended by signal {-done.returncode}: the package does not fit this machine"
    said = [line for line in done.stderr.splitlines() if line.strip()]
    return said[-1].strip() if said else f"ended with exit code {done.returncode}"


def _backend(name: str) -> Answer:
    """Both graphs of the bundled model, once."""
    from eatrack_edge.inference.registry import open_backend

    package = require(name, to=f"run a graph on {name}")
    # OpenVINO puts its build behind a dash.
    return {"version": str(package.__version__).partition("-")[0]} | _run(open_backend(DEFAULT_MODEL, name))


def _run(backend: Backend) -> Answer:
    """Both graphs on black crops.

    Raises:
        MachineError: The score is not a finite number.
    """
    import numpy as np

    model_spec = backend.model_spec
    crop = np.zeros(model_spec.template_inputs()[0].shape, np.uint8)
    backend.encode_template(crop, (0.5, 0.5), range(model_spec.template_slots))
    maps = backend.infer(np.zeros(model_spec.track_inputs()[0].shape, np.uint8))
    if not np.isfinite(maps.score_map).all():
        raise MachineError(f"{backend.name} gives a score that is not finite")
    return {"runs_as": backend.name}


def _onnxruntime() -> Answer:
    answer = _backend("onnxruntime")
    # What this build was compiled with. It says nothing about the machine: without a driver it falls back to the CPU.
    listed = require("onnxruntime", to="list its providers").get_available_providers()
    wanted = "CUDAExecutionProvider" if "CUDAExecutionProvider" in listed else "CPUExecutionProvider"
    return answer | {"asked_for": wanted.removesuffix("ExecutionProvider"), "compiled_with": listed}


def _openvino() -> Answer:
    return _backend("openvino")


def _tensorrt() -> Answer:
    """TensorRT, driver, GPU and the package between them; an engine too, where one is built. None is built here."""
    from eatrack_edge.inference.model_files import find_graphs
    from eatrack_edge.inference.tensorrt.backend import TensorRTBackend
    from eatrack_edge.inference.tensorrt.cuda_memory import open_memory
    from eatrack_edge.inference.tensorrt.engine_files import built_engines
    from eatrack_edge.inference.tensorrt.fingerprint import read_fingerprint

    here = read_fingerprint()
    open_memory("auto")
    answer: Answer = {
        "version": here.tensorrt,
        "file": require("tensorrt", to="say where it is").__file__,
        "gpu": f"{here.gpu}, compute {here.sm}, CUDA {here.cuda}",
        "engine": None,
    }
    try:
        engines = built_engines(find_graphs(DEFAULT_MODEL)[1])
    except EngineMismatch:
        raise
    except MachineError:  # there are none, which is no fault
        return answer
    return answer | {"engine": str(engines[1])} | _run(TensorRTBackend(*engines))


def _cv2() -> Answer:
    cv2 = require("cv2", to="read and write pictures")
    build = {
        key.strip(): value.strip()
        for key, _, value in (line.partition(":") for line in cv2.getBuildInformation().splitlines())
        if value.strip() or key.strip() == "GUI"
    }
    return {
        "version": cv2.__version__,
        "file": cv2.__file__,
        # Builds name their toolkit after `GUI:` or, older ones, on the next line.
        "gui": next((build[name] for name in ("GUI", "QT", "GTK+", "Win32 UI", "Cocoa") if build.get(name)), "NONE"),
        "gstreamer": build.get("GStreamer", "NO"),
    }


def _av() -> Answer:
    av = require("av", to="read and write videos")
    codecs = [name for name in ("libx264", "mpeg4") if name in av.codecs_available]
    return {"version": av.__version__, "encoders": codecs}


PROBES: dict[str, Callable[[], Answer]] = {
    "tensorrt": _tensorrt,
    "openvino": _openvino,
    "onnxruntime": _onnxruntime,
    "cv2": _cv2,
    "av": _av,
}


def main() -> None:
    """Run the probe that the first argument names and write its answer."""
    try:
        answer = PROBES[sys.argv[1]]()
    except MissingExtra as error:
        cause = error.__cause__
        is_missing = isinstance(cause, ModuleNotFoundError)
        # A package that is there but lacks a library of the system raises an ImportError that names the library.
        answer = {
            "error": error.message if is_missing else str(cause),
            "hint": error.hint,
            "is_absent": isinstance(cause, ModuleNotFoundError) and cause.name == sys.argv[1],
        }
    except EATrackError as error:
        answer = {"error": error.message, "hint": error.hint}
    except Exception as error:  # whatever a broken package raises is what the doctor is to tell
        answer = {"error": f"{type(error).__name__}: {error}".splitlines()[0]}
    sys.stdout.write("\n" + json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
