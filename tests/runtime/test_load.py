from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from eatrack_edge.errors import InputError, UsageError
from eatrack_edge.material import DEFAULT_MODEL, bundled, bundled_models
from eatrack_edge.runtime.load import find_graphs, open_backend


def test_the_default_model_ships_with_the_package() -> None:
    assert DEFAULT_MODEL in bundled_models()
    assert all(path.is_file() for path in find_graphs(DEFAULT_MODEL))
    assert bundled(f"{DEFAULT_MODEL}.safetensors") is not None


def test_either_file_or_the_folder_names_an_export(tmp_path: Path) -> None:
    expected = tmp_path / "a.template.onnx", tmp_path / "a.track.onnx"
    for path in expected:
        path.touch()
    assert find_graphs(tmp_path) == find_graphs(expected[0]) == find_graphs(str(expected[1])) == expected


def test_an_unknown_model_is_refused_with_a_suggestion() -> None:
    with pytest.raises(UsageError) as caught:
        find_graphs("eatrack_z")
    assert str(caught.value).startswith("no model called `eatrack_z`\nhint: did you mean `eatrack_")


def test_a_name_unlike_any_model_lists_what_ships() -> None:
    with pytest.raises(UsageError, match=r"hint: bundled models: .*; or give an exported file"):
        find_graphs("yolo")


def test_a_folder_must_hold_exactly_one_export(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds 0 exported models, needs exactly one"):
        find_graphs(tmp_path)


def test_a_lone_onnx_file_is_no_export(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"an exported model is two files, NAME\.template\.onnx and NAME\.track\.onnx"):
        find_graphs(tmp_path / "model.onnx")


def test_an_unknown_backend_is_refused() -> None:
    with pytest.raises(UsageError, match="no backend called `tpu`\nhint: known backends: auto, onnxruntime"):
        open_backend(DEFAULT_MODEL, "tpu")


def test_a_model_that_was_moved_away_is_named(tmp_path: Path) -> None:
    template, _ = find_graphs(DEFAULT_MODEL)
    shutil.copy(template, tmp_path / "a.template.onnx")
    with pytest.raises(InputError, match=r"a\.template\.onnx: ONNX Runtime cannot load it"):
        open_backend(tmp_path / "a.template.onnx")
