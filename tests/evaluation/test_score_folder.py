from __future__ import annotations

from pathlib import Path

import pytest

from eatrack_edge.core.errors import InputError
from eatrack_edge.evaluation.protocol import PROTOCOLS
from eatrack_edge.evaluation.score_folder import score_folder

BOX = "10,10,8,8\n"


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    truth, results = tmp_path / "truth", tmp_path / "results"
    truth.mkdir()
    results.mkdir()
    for name in ("car", "boat"):
        (truth / f"{name}.txt").write_text(BOX * 3)
        (results / f"{name}.txt").write_text(BOX * 3)
    return truth, results


@pytest.mark.parametrize("separator", [",", "\t", " ", "; "])
def test_boxes_are_read_with_any_separator(folders: tuple[Path, Path], separator: str) -> None:
    truth, results = folders
    (results / "car.txt").write_text(BOX.replace(",", separator) * 3)
    scored = score_folder(truth, results, PROTOCOLS["otb"])
    assert (scored.score.success_auc, scored.score.sequences) == (pytest.approx(20 / 21), 2)


def test_results_in_got10k_folders_are_found_and_cover_labels_respected(tmp_path: Path) -> None:
    for folder, name, text in (
        ("truth", "groundtruth.txt", BOX * 3),
        ("truth", "cover.label", "8\n8\n0\n"),
        ("results", "val_1_001.txt", BOX + BOX + "90,90,8,8\n"),
    ):
        (tmp_path / folder / "val_1").mkdir(parents=True, exist_ok=True)
        (tmp_path / folder / "val_1" / name).write_text(text)
    scored = score_folder(tmp_path / "truth", tmp_path / "results", PROTOCOLS["got10k"])
    assert scored.score.average_overlap == 1.0


def test_other_files_in_the_result_folder_are_ignored(folders: tuple[Path, Path]) -> None:
    truth, results = folders
    (results / "SOURCE.txt").write_text("where these came from")
    assert score_folder(truth, results, PROTOCOLS["otb"]).skipped == {}


def test_a_missing_result_is_skipped_and_named(folders: tuple[Path, Path]) -> None:
    truth, results = folders
    (results / "car.txt").unlink()
    scored = score_folder(truth, results, PROTOCOLS["otb"])
    assert scored.score.sequences == 1
    assert scored.skipped == {"car": f"no result for `car`: expected {results / 'car.txt'}"}


def test_a_broken_result_is_skipped_and_its_line_named(folders: tuple[Path, Path]) -> None:
    truth, results = folders
    (results / "boat.txt").write_text(BOX + "10,10,8\n")
    skipped = score_folder(truth, results, PROTOCOLS["otb"]).skipped
    assert skipped == {"boat": f"{results / 'boat.txt'}:2: expected four numbers x,y,w,h, got `10 10 8`"}


@pytest.mark.parametrize("which", ["truth", "results"])
def test_fractions_of_the_frame_leave_out_their_sequence(folders: tuple[Path, Path], which: str) -> None:
    path = dict(zip(("truth", "results"), folders, strict=True))[which] / "car.txt"
    path.write_text("0.1,0.1,0.08,0.08\n" * 3)
    scored = score_folder(*folders, PROTOCOLS["otb"])
    assert list(scored.sequences) == ["boat"]
    assert scored.skipped == {"car": f"{path}: all boxes are smaller than a pixel, such as [0.1, 0.1, 0.08, 0.08]"}


def test_a_result_may_have_boxes_that_are_not_finite(folders: tuple[Path, Path]) -> None:
    (folders[1] / "car.txt").write_text(BOX + "nan,nan,nan,nan\n" + "inf,1,2,3\n")
    assert list(score_folder(*folders, PROTOCOLS["otb"]).sequences) == ["boat", "car"]


def test_results_of_another_length_are_scored_and_named(folders: tuple[Path, Path]) -> None:
    truth, results = folders
    (results / "boat.txt").write_text(BOX * 2)
    assert score_folder(truth, results, PROTOCOLS["otb"]).mismatched == {"boat": (2, 3)}


def test_nothing_to_score_is_an_error(folders: tuple[Path, Path], tmp_path: Path) -> None:
    truth, results = folders
    for path in results.glob("*.txt"):
        path.unlink()
    with pytest.raises(InputError, match="none of 2 sequences could be scored; `boat`: no result for `boat`"):
        score_folder(truth, results, PROTOCOLS["otb"])
    with pytest.raises(InputError, match="no folder of true boxes at"):
        score_folder(tmp_path / "nowhere", results, PROTOCOLS["otb"])
    with pytest.raises(InputError, match="no folder of results at"):
        score_folder(truth, tmp_path / "nowhere", PROTOCOLS["otb"])


@pytest.mark.parametrize("labels", [1, 2, 7])
def test_labels_of_another_length_leave_out_their_sequence_alone(folders: tuple[Path, Path], labels: int) -> None:
    truth, results = folders
    (truth / "bike").mkdir()
    (truth / "bike/groundtruth.txt").write_text(BOX * 3)
    (truth / "bike/cover.label").write_text("8\n" * labels)
    (results / "bike.txt").write_text(BOX * 3)
    scored = score_folder(truth, results, PROTOCOLS["got10k"])
    assert scored.skipped == {"bike": f"{labels} flags but 3 true boxes"}
    assert sorted(scored.sequences) == ["boat", "car"]


def test_truth_that_begins_with_a_dot_is_no_sequence(folders: tuple[Path, Path]) -> None:
    truth, results = folders
    (truth / "._car.txt").write_bytes(b"\0\5\x16\7Mac OS X")
    (truth / ".cache").mkdir()
    (truth / ".cache/groundtruth.txt").write_text(BOX)
    assert score_folder(truth, results, PROTOCOLS["otb"]).skipped == {}
