from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from benchmarks.samples import on_another_machine, result
from cli.conftest import Run
from eatrack_edge.benchmarks.measure.bench_result import read_result, write_result

pytestmark = pytest.mark.usefixtures("opened_once")

SCENE = "test://?frames=4&width=160&height=120"
QUICK = ("--source", SCENE, "--iterations", 3, "--duration", 0, "--warmup", 0, "--backend", "onnxruntime", "--alone")


@pytest.fixture(autouse=True)
def _short_warm_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine does not settle, and these tests do not read the figures."""
    monkeypatch.setattr("eatrack_edge.benchmarks.measure.latency.WARM_BLOCKS", 2)


def test_a_run_prints_its_table_and_writes_its_json(run: Run, tmp_path: Path) -> None:
    done = run("bench", *QUICK, "--device", "cpu", "-o", tmp_path)
    assert done.code == 0, done.err
    for words in ("MEASURED on this machine", "update, total", "all but infer", "camera of 30 fps", "measured on"):
        assert words in done.out
    assert "PROJECTION" not in done.out
    (path,) = tmp_path.glob("*.json")
    assert str(path) in done.out
    found = read_result(path)
    assert found.command[:2] == ["eatrack-edge", "bench"]
    assert set(found.latency_ms) >= {"decode", "crop", "copy_in", "infer", "copy_out", "maps", "template", "total"}
    assert found.accuracy["mean_overlap"] > 0
    assert found.model.file_sha256.keys() == {"eatrack_s.template.onnx", "eatrack_s.track.onnx"}
    assert "loading" in done.err


def test_the_refinement_can_be_turned_off_and_the_result_names_it(run: Run, tmp_path: Path) -> None:
    for given in ("off", "vittrack"):
        done = run("bench", *QUICK, "--device", "cpu", "--refinement", given, "--json", tmp_path / "a.json")
        assert done.code == 0, done.err
        assert read_result(tmp_path / "a.json").model.refinement == given
        assert f"1 thread, refinement {given}" in done.out


def test_on_a_pc_device_orin_succeeds_and_shows_the_projection_separately(run: Run, tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="the projection reads the graph with onnx")
    done = run("bench", *QUICK, "--device", "orin", "--json", tmp_path / "a.json")
    assert done.code == 0, done.err
    measured, _, projected = done.out.partition("PROJECTION for boards that are not here; nothing in it was measured")
    assert "MEASURED on this machine" in measured
    assert "Jetson Orin Nano 8GB" not in measured
    assert "Jetson Orin Nano 8GB" in projected
    assert "projection: of eatrack_s.track.onnx as an engine in fp16" in projected
    assert "for orin there is a projection only" in measured
    figures = json.loads((tmp_path / "a.json").read_text())
    assert figures["board"]["kind"] == ""
    assert figures["measured_on"].endswith("not a Jetson Orin")
    assert figures["projection"]["label"] == "projection, not a measurement"


def test_two_results_are_compared(run: Run, tmp_path: Path) -> None:
    write_result(result(), tmp_path / "a.json")
    write_result(result(scale=1.3), tmp_path / "b.json")
    assert run("bench", "compare", tmp_path / "a.json", tmp_path / "a.json").code == 0
    worse = run("bench", "compare", tmp_path / "a.json", tmp_path / "b.json", "--max-regression", "10%")
    assert worse.code == 4
    assert "+30.0%" in worse.out
    assert worse.err.startswith("error: slower than the 10% allowed: total p50, ms: 11 to 14.3, +30.0%")
    assert run("bench", "compare", tmp_path / "a.json", tmp_path / "b.json", "--max-regression", "0.5").code == 0


def test_the_page_can_be_written_from_the_json_alone(run: Run, tmp_path: Path) -> None:
    write_result(result(), tmp_path / "a.json")
    done = run("bench", "page", tmp_path / "a.json")
    assert (done.code, done.out) == (0, f"{tmp_path / 'a.html'}\n")
    assert "<h2>Comparison</h2>" in (tmp_path / "a.html").read_text()
    assert run("bench", "page", tmp_path / "a.html").err.startswith(f"error: {tmp_path / 'a.html'}: not a result of")


def test_results_of_two_machines_are_refused_unless_only_shown(run: Run, tmp_path: Path) -> None:
    write_result(result(), tmp_path / "a.json")
    write_result(on_another_machine(), tmp_path / "b.json")
    assert run("bench", "compare", tmp_path / "a.json", tmp_path / "b.json").code == 2
    shown = run("bench", "compare", tmp_path / "a.json", tmp_path / "b.json", "--show-only")
    assert shown.code == 0
    assert "differs in machine: ACME Notebook 14" in shown.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--device", "xavier"), "error: no device called `xavier`"),
        (("--soak", "long"), "error: --soak needs a duration with a unit, ms, s, m, h, got `long`"),
        (("--soak", "10"), "got `10`\nhint: for example: --soak 10m"),
        (("--percentile", "50,100"), "error: --percentile takes numbers between 0 and 100, got `50,100`"),
        (("--box", "1,2,3"), "error: --box needs four numbers, got `1,2,3`"),
        (("--alone", "--vs", "kcf"), "error: --alone and --vs exclude each other"),
        (("--refinement", "vitrack"), "error: no refinement called `vitrack`\nhint: did you mean `vittrack`?"),
        (("--vs", "siamfc"), "error: nothing called `siamfc` to compare with"),
        (("--backend", "onnxruntime", "--vs", "nanotrack_v3"), "error: nanotrack_v3 needs its published weights"),
    ],
)
def test_usage_errors_are_refused(run: Run, arguments: tuple[str, ...], message: str) -> None:
    done = run("bench", *arguments)
    assert done.code == 2
    assert message in done.err


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("10m", 600), ("1.5h", 5400), ("500 ms", 0.5)])
def test_a_soak_is_a_duration(text: str, seconds: float) -> None:
    from eatrack_edge.cli.bench import _soak_s

    assert _soak_s(text) == seconds


def test_the_overhead_is_printed_and_written_and_states_that_no_network_ran(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eatrack_edge.benchmarks.measure.overhead._SWEPT_BYTES", 1000)
    done = run("bench", "overhead", "--updates", 100, "--json", tmp_path / "a.json")
    assert done.code == 0, done.err
    for words in ("no network ran", "3840x2160", "window of 222 px", "total at 1080p", "100 updates"):
        assert words in done.out
    assert json.loads((tmp_path / "a.json").read_text())["schema"] == "eatrack-edge/overhead/1"


def test_without_jinja2_the_result_is_written_and_a_note_says_how_to_get_the_page(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from eatrack_edge.reporting import html

    html._environment.cache_clear()
    monkeypatch.setitem(sys.modules, "jinja2", None)
    done = run("bench", *QUICK, "--json", tmp_path / "a.json")
    assert done.code == 0, done.err
    assert read_result(tmp_path / "a.json").model.name == "eatrack_s"
    assert not (tmp_path / "a.html").exists()
    assert "note: there is no page: cannot write an HTML page: jinja2 is not installed; pip install" in done.err
    assert done.err.endswith(f"then: eatrack-edge bench page {tmp_path / 'a.json'}\n")


@pytest.mark.parametrize("arguments", [(), ("live",), ("overhead",)], ids=["bench", "live", "overhead"])
def test_a_result_that_cannot_be_written_is_refused_before_anything_is_measured(
    run: Run, tmp_path: Path, arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("run.run_bench", "live_loop.measure_live_loop", "overhead.measure_overhead"):
        monkeypatch.setattr(f"eatrack_edge.benchmarks.measure.{name}", lambda *_: pytest.fail("it was measured"))
    (tmp_path / "file").touch()
    done = run("bench", *arguments, "--json", tmp_path / "file" / "new" / "a.json")
    assert (done.code, done.err) == (
        3,
        f"error: {tmp_path}/file/new: cannot be written: {tmp_path}/file is not a folder\nhint: name another folder\n",
    )


def test_a_projection_that_is_asked_for_and_cannot_be_made_is_refused_before_anything_is_measured(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    monkeypatch.setattr("eatrack_edge.benchmarks.measure.run._measure", lambda *_: pytest.fail("it was measured"))
    done = run("bench", *QUICK, "--device", "orin-nano", "-o", tmp_path)
    assert (done.code, done.err.splitlines()[-2:]) == (
        3,
        [
            "error: cannot count a graph's operations: onnx is not installed",
            "hint: pip install onnx onnxscript",
        ],
    )
    assert list(tmp_path.iterdir()) == []


def test_a_projection_that_nobody_asked_for_is_a_note_where_it_cannot_be_made(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    done = run("bench", *QUICK, "--json", tmp_path / "a.json")
    assert done.code == 0, done.err
    assert any(note.startswith("no projection: cannot count") for note in read_result(tmp_path / "a.json").notes)
