from __future__ import annotations

import sys

import pytest

from eatrack_edge.cli import console
from eatrack_edge.cli.console import Progress, print_error, print_facts, print_line, print_note, print_table
from eatrack_edge.core.errors import UsageError

Capture = pytest.CaptureFixture[str]


def test_an_error_is_two_lines_on_stderr(capsys: Capture) -> None:
    print_error(UsageError("there is no target", hint="give one: --box x,y,w,h"))
    assert capsys.readouterr() == ("", "error: there is no target\nhint: give one: --box x,y,w,h\n")


def test_a_note_goes_to_stderr(capsys: Capture) -> None:
    print_note("the report has no plots")
    assert capsys.readouterr() == ("", "note: the report has no plots\n")


def test_figures_stand_to_the_right_under_their_heading(capsys: Capture) -> None:
    print_table([["tracker", "success AUC"], ["eatrack", "0.7"], ["mil", "10.25"]], "scores")
    assert [line.rstrip() for line in capsys.readouterr().out.splitlines()] == [
        "scores",
        "tracker  success AUC",
        "eatrack          0.7",
        "mil            10.25",
    ]


def test_a_table_in_a_pipe_is_never_wrapped_and_brackets_are_no_markup(capsys: Capture) -> None:
    print_table([("ok", "[bold]", "x" * 300), ("problem", "b", "y")], has_headings=False, styles={"ok": "green"})
    first, second = (line.rstrip() for line in capsys.readouterr().out.splitlines())
    assert first == f"ok       [bold]  {'x' * 300}"
    assert second == "problem  b       y"


def test_a_long_line_is_never_wrapped(capsys: Capture) -> None:
    print_line("sed " + "x" * 400 + " [bold]")
    assert capsys.readouterr().out == "sed " + "x" * 400 + " [bold]\n"


def test_values_are_aligned_behind_their_names(capsys: Capture) -> None:
    print_facts([("model", "eatrack_s"), ("measured on", "a laptop")])
    assert capsys.readouterr().out == "model        eatrack_s\nmeasured on  a laptop\n"


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "_EVERY_S", 0.0)


@pytest.mark.usefixtures("at_once")
def test_progress_in_a_pipe_is_plain_lines_with_the_time_left(capsys: Capture) -> None:
    with Progress("frames") as progress:
        progress.show("boat", 30, 120, "TRACKING 0.91", rate=30)
        progress.show("boat", 60, None, rate=30)
    assert (
        capsys.readouterr().err == "boat: 30/120 frames, 30.0 fps, 3 s left, TRACKING 0.91\nboat: 60 frames, 30.0 fps\n"
    )


def test_between_two_plain_lines_there_is_time_and_a_new_step_is_announced(capsys: Capture) -> None:
    with Progress("updates", has_rate=False) as progress:
        progress.show("loading", 0)
        for done in range(50):
            progress.show("measuring", done, detail="0 of 10 s")
    assert capsys.readouterr().err == "loading\nmeasuring: 0 of 10 s\n"


def test_a_result_on_the_way_is_printed_whatever_the_time(capsys: Capture) -> None:
    with Progress("samples") as progress:
        progress.show("eatrack_s", 8, 16, "loss 0.1, iou 0.7", rate=4, is_due=True)
    assert capsys.readouterr().err == "eatrack_s: 8/16 samples, 4.0 samples/s, 2 s left, loss 0.1, iou 0.7\n"


def test_a_quiet_display_prints_nothing(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with Progress("samples", is_quiet=True) as progress:
        progress.show("eatrack_s", 8, 16, is_due=True)
    assert capsys.readouterr() == ("", "")


def test_a_terminal_shows_a_bar_for_each_task(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with Progress("steps", has_rate=False) as progress:
        progress.show("building a.track.engine", 3, 7, "tactics [1]")
        progress.show("building a.template.engine", 1, 7)
    err = capsys.readouterr().err
    for words in ("building a.track.engine", "3/7 steps, tactics [1]", "building a.template.engine", "1/7 steps"):
        assert words in err


@pytest.mark.usefixtures("at_once")
def test_the_rate_of_a_later_task_is_its_own(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(console.time, "monotonic", lambda: now)
    with Progress("updates") as progress:
        now = 100.0
        progress.show("loading", 0)
        progress.show("measuring", 10, 50)
        now = 102.0
        progress.show("measuring", 30, 50)
    assert capsys.readouterr().err.splitlines()[1:] == [
        "measuring: 10/50 updates",
        "measuring: 30/50 updates, 10.0 updates/s, 2 s left",
    ]
