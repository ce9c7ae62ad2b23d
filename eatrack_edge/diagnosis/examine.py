"""Runs every check; one that fails does not stop the others."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from eatrack_edge import __version__
from eatrack_edge.diagnosis import backend_checks as backends
from eatrack_edge.diagnosis import board_checks as board
from eatrack_edge.diagnosis import environment_checks as environment
from eatrack_edge.diagnosis import video_checks as video
from eatrack_edge.diagnosis.findings import Finding
from eatrack_edge.inference.registry import BACKENDS
from eatrack_edge.machine.board import read_board

SCHEMA = "eatrack-edge-doctor/1"
Check = Callable[[Path], list[Finding]]
CHECKS: tuple[Check, ...] = (
    board.check_board,
    board.check_power,
    board.check_heat,
    board.check_memory,
    environment.check_python,
    environment.check_conflicts,
    backends.check_tensorrt,
    backends.check_openvino,
    backends.check_onnxruntime,
    video.check_opencv,
    video.check_pyav,
    video.check_disk,
)
_NEEDED = ("opencv", "pyav")


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All findings, in the order of the checks."""

    findings: tuple[Finding, ...]

    @property
    def backends(self) -> tuple[str, ...]:
        """Backends that ran, the one that ``auto`` takes first."""
        sound = (finding for finding in self.findings if finding.state != "problem")
        running = {finding.subject for finding in sound if "runs_as" in finding.facts}
        return tuple(name for name in BACKENDS.names() if name in running)

    @property
    def can_track(self) -> bool:
        """Whether ``eatrack-edge track`` can do its work on this machine."""
        broken = {finding.subject for finding in self.findings if finding.state == "problem"}
        return bool(self.backends) and not broken.intersection(_NEEDED)

    def to_json(self) -> dict[str, object]:
        """The diagnosis as plain values."""
        return {
            "schema": SCHEMA,
            "tool": f"eatrack-edge {__version__}",
            "can_track": self.can_track,
            "backends": self.backends,
            "findings": [asdict(finding) for finding in self.findings],
        }


def examine(root: Path = Path("/"), checks: tuple[Check, ...] = CHECKS) -> Diagnosis:
    """Run the checks, several at a time: most of them wait for a process of their own."""
    with ThreadPoolExecutor(max_workers=4) as pool:
        found = [finding for findings in pool.map(lambda check: _run(check, root), checks) for finding in findings]
    diagnosis = Diagnosis(tuple(found))
    if diagnosis.backends:
        return diagnosis
    default = "sudo apt install python3-libnvinfer" if read_board(root).kind else "pip install openvino"
    # Where TensorRT lacks only one step, that is the way.
    fix = next((finding.fix for finding in found if finding.subject == "tensorrt" and finding.fix), default)
    return Diagnosis((*found, Finding("backends", "problem", "none runs, so nothing can be tracked", fix)))


def _run(check: Check, root: Path) -> list[Finding]:
    try:
        return check(root)
    except Exception as error:  # an error of the check itself is reported like any other problem
        subject = getattr(check, "__name__", "check").removeprefix("check_")
        return [Finding(subject, "problem", f"could not be checked: {type(error).__name__}: {error}")]
