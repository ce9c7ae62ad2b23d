"""The README as a front door; its commands and code run in tests/docs/test_pages.py."""

from __future__ import annotations

import json
import re
from pathlib import Path

from docs.pages import blocks

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
LINES = README.read_text(encoding="utf-8").splitlines()


def test_the_readme_opens_with_the_two_commands() -> None:
    first = blocks(README)[0]
    assert [command.split("  ")[0] for command in first.commands] == ["make demo", "make test"]


def test_the_readme_has_at_most_120_lines_of_at_most_160_characters() -> None:
    assert len(LINES) <= 120
    assert [line for line in LINES if len(line) > 160] == []


def test_no_paragraph_of_the_readme_is_longer_than_three_lines() -> None:
    prose = re.sub(r"^```.*?^```", "", "\n".join(LINES), flags=re.MULTILINE | re.DOTALL)
    paragraphs = [paragraph.splitlines() for paragraph in re.split(r"\n\s*\n", prose)]
    long = [lines[0] for lines in paragraphs if len(lines) > 3 and not re.match(r"\||-|\d\.", lines[0])]
    assert long == []


def test_the_picture_is_an_animation_under_2_mb() -> None:
    picture = ROOT / "docs" / "images" / "scene.webp"
    assert f"]({picture.relative_to(ROOT)})" in README.read_text(encoding="utf-8")
    content = picture.read_bytes()
    assert len(content) < 2e6
    assert b"ANIM" in content[:64]


def _measured() -> dict[tuple[str, str, str, str], tuple[float, float]]:
    """Median update and update with decoding, ms, by model, precision, backend and threads, of the result it names."""
    stem = re.search(r"benchmarks/results/(bench--[\w-]+--)\.\.\.json", README.read_text(encoding="utf-8"))
    assert stem
    (path,) = (ROOT / "benchmarks" / "results").glob(f"{stem[1]}*.json")
    result = json.loads(path.read_text())
    assert (result["valid"], result["measured_at"][:10]) == (True, "2026-11-28")
    assert result["measured_on"].startswith("AMD EPYC")
    assert (result["board"]["cores"], result["clip"]["width"], result["clip"]["height"]) == (2, 1280, 720)
    model, threads = result["model"], str(result["model"]["threads"])
    ours = model | {"label": f"{model['name']}@", "latency_ms": result["latency_ms"]}
    found = {}
    for one in (ours, *result["versus"]):
        name = one["label"].partition("@")[0].removesuffix("_int8")
        medians = one["latency_ms"]["total"]["p50"], one["latency_ms"]["end_to_end"]["p50"]
        found[name, one["precision"].upper(), one["backend"].partition(" ")[0], threads] = medians
    return found


def test_the_scores_are_the_means_over_four_starts_of_the_result() -> None:
    (path,) = (ROOT / "benchmarks" / "results").glob("uav_dev_and_uav_dev2--eatrack_and_baselines--*--4_starts--*.json")
    found: dict[tuple[str, str, int], list[float]] = {}
    for run in json.loads(path.read_text())["runs"]:
        name = run["tracker"].removesuffix(" INT8")
        found.setdefault((name, run["set"], run["frame_stride"]), []).append(run["success_auc"])
    header = next(number for number, line in enumerate(LINES) if line.startswith("| | eatrack_s |"))
    names = [cell.strip() for cell in LINES[header].strip("|").split("|")][1:]
    rows = [[cell.strip(" *") for cell in line.strip("|").split("|")] for line in LINES[header + 2 : header + 6]]
    assert [row[0].split("`")[1] for row in rows] == ["uav-dev", "uav-dev2"] * 2
    for row, stride in zip(rows, (1, 1, 3, 3), strict=True):
        for name, printed in zip(names, row[1:], strict=True):
            scores = found.get((name, row[0].split("`")[1], stride), [])
            assert printed == (f"{sum(scores) / 4:.3f}" if scores else "-"), (name, row[0])
            assert len(scores) in (0, 4)


def test_the_frames_per_second_are_those_of_the_result_that_stands_below_them() -> None:
    header = next(number for number, line in enumerate(LINES) if line.startswith("| model | precision | backend |"))
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in LINES[header + 2 :]]
    rows = rows[: next(number for number, row in enumerate(rows) if len(row) < 7)]
    names = {"ONNX Runtime": "onnxruntime", "OpenVINO": "openvino"}
    printed = {(row[0], row[1], names.get(row[2], row[2]), row[3]): row[4:] for row in rows}
    expected = {
        key: [f"{update:.1f}", f"{1000 / update:.1f}", f"{1000 / whole:.1f}"]
        for key, (update, whole) in _measured().items()
    }
    assert printed == expected
