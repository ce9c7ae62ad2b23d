from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cli.conftest import Run
from eatrack_edge import Tracker
from eatrack_edge.core.verifier_model import UNFITTED, VerifierModel
from train.conftest import draw_target, write_shard

pytestmark = pytest.mark.torch


def write_clips(folder: Path, count: int) -> Path:
    """Training shards with so many clips of three pictures."""
    folder.mkdir()
    rng = np.random.default_rng(3)
    rows: list[dict[str, object]] = []
    pictures = []
    for clip in range(count):
        picture, (x, y, w, h) = draw_target(rng)
        for time in range(3):
            name = f"{len(rows):06d}.webp"
            rows.append({"file": name, "box": [x + time, y, w, h], "w": 160, "h": 160, "clip": f"c{clip}", "t": time})
            pictures.append(np.roll(picture, time, axis=1))
    write_shard(folder, "drawn", rows, pictures)
    return folder


def test_what_is_learned_from_clips_is_exported_with_the_graphs_and_used(run: Run, tmp_path: Path) -> None:
    learned = tmp_path / "verifier.json"
    found = run(
        *("fit-verifier", "--model", "eatrack_deit", "--backend", "onnxruntime", "--refinement", "off"),
        *("--data", write_clips(tmp_path / "clips", 24), "--output", learned),
    )
    assert found.code == 0, found.err
    assert re.search(r"^24 clips: \d+ looks found the target, \d+ something else$", found.out, re.MULTILINE)
    assert re.search(r"^on 5 other clips \(\d+ targets, \d+ others\):", found.out, re.MULTILINE)
    assert found.out.endswith(f"next: eatrack-edge export CHECKPOINT --verifier {learned}\n")

    exported = run("export", "eatrack_deit", "--verifier", learned, "--output", tmp_path / "graphs")
    assert exported.code == 0, exported.err
    assert VerifierModel.from_text(learned.read_text(), str(learned)).model == "eatrack_deit"
    with Tracker(tmp_path / "graphs", backend="onnxruntime") as tracker:
        assert tracker.model_spec.verifier == learned.read_text().strip()


def test_clips_too_few_to_learn_from_are_refused(run: Run, tmp_path: Path) -> None:
    found = run(
        *("fit-verifier", "--model", "eatrack_deit", "--backend", "onnxruntime", "--refinement", "off"),
        *("--data", write_clips(tmp_path / "clips", 6), "-o", tmp_path / "verifier.json"),
    )
    assert found.code == 2
    assert "6 clips can be looked at, and the verifier needs 20" in found.err
    assert not (tmp_path / "verifier.json").exists()


def test_a_file_that_is_no_verifier_is_refused_before_anything_is_written(run: Run, tmp_path: Path) -> None:
    (tmp_path / "verifier.json").write_text('{"alone": 1}')
    found = run("export", "eatrack_deit", "--verifier", tmp_path / "verifier.json", "-o", tmp_path / "graphs")
    assert found.code == 2
    assert f"{tmp_path / 'verifier.json'}: not the weights of a verifier" in found.err
    assert not (tmp_path / "graphs").exists()


def test_a_verifier_of_another_network_is_refused_before_anything_is_written(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "verifier.json"
    path.write_text(replace(UNFITTED, model="eatrack_s").to_text())
    found = run("export", "eatrack_deit", "--verifier", path, "-o", tmp_path / "graphs")
    assert (found.code, found.err.splitlines()[-2:]) == (
        2,
        [
            f"error: {path}: this verifier was fitted for `eatrack_s`, and the network is `eatrack_deit`",
            "hint: fit one to graphs of `eatrack_deit`: eatrack-edge fit-verifier --model GRAPHS --data CLIPS",
        ],
    )
    assert not (tmp_path / "graphs").exists()


def test_a_verifier_that_names_no_network_is_taken(tmp_path: Path) -> None:
    from eatrack_edge.export.recipe import plan

    path = tmp_path / "verifier.json"
    older = UNFITTED.to_text().replace(',"model":""', "")
    path.write_text(older)
    assert VerifierModel.from_text(plan("eatrack_deit", verifier=path).model_spec.verifier, "") == UNFITTED
