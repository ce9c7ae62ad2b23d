# ruff: noqa: ARG001 - stand-ins keep the signature of what they stand for
from __future__ import annotations

import os
import signal

import pytest

from eatrack_edge.core.errors import EATrackError, InputError, MachineError
from eatrack_edge.engines.build_progress import Report, Step
from eatrack_edge.engines.child_process import run_in_child

# Each is run in a real process of its own; what they do there is all that is simulated.


def count(job: int, report: Report) -> bytes:
    for done in range(job):
        report(Step("counting", done, job))
    return bytes(job) + os.getpid().to_bytes(4, "big")


def refuse(job: str, report: Report) -> bytes:
    raise InputError(f"{job}: cannot be built", hint="export it again")


def stumble(job: str, report: Report) -> bytes:
    raise RuntimeError(job)


def die(job: int, report: Report) -> bytes:
    os.kill(os.getpid(), job)
    return b""


def leave(job: int, report: Report) -> bytes:
    os._exit(job)


def ignore(step: Step) -> None:
    del step


def test_what_the_child_made_and_reported_comes_back() -> None:
    steps: list[Step] = []
    made = run_in_child(count, 3, steps.append, what="counting")
    assert made[:3] == bytes(3)
    assert int.from_bytes(made[3:], "big") != os.getpid()
    assert steps == [Step("counting", done, 3) for done in range(3)]


def test_an_error_in_the_child_is_raised_here_with_its_hint() -> None:
    with pytest.raises(InputError) as caught:
        run_in_child(refuse, "a.onnx", ignore, what="the build")
    assert str(caught.value) == "a.onnx: cannot be built\nhint: export it again"


@pytest.mark.parametrize(
    ("work", "job", "message"),
    [
        pytest.param(
            die, signal.SIGKILL, r"^the build was killed after \d+ s, most likely because memory ran out\nhint: close the "
            r"desktop: sudo systemctl isolate multi-user\.target; or add swap; then build again$", id="killed",
        ),
        pytest.param(die, signal.SIGSEGV, r"^the build crashed after \d+ s: SIGSEGV\nhint: see: eatrack-edge", id="crash"),
        pytest.param(leave, 3, r"^the build crashed after \d+ s: exit code 3", id="left without a word"),
        pytest.param(stumble, "odd", "^the build failed: RuntimeError: odd$", id="an error of another's"),
    ],
)  # fmt: skip
def test_a_build_that_dies_ends_in_a_sentence(work: object, job: object, message: str) -> None:
    with pytest.raises(MachineError, match=message):
        run_in_child(work, job, ignore, what="the build")  # type: ignore[arg-type]


def test_a_display_that_fails_does_not_leave_the_child_behind() -> None:
    def fail(step: Step) -> None:
        raise EATrackError("no terminal")

    with pytest.raises(EATrackError, match="no terminal"):
        run_in_child(count, 1, fail, what="counting")
