from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from eatrack_edge.core.errors import InputError, UsageError
from eatrack_edge.inference.model_files import find, find_graphs
from engines.onnx_files import write_pair


def test_a_folder_may_hold_every_precision_of_one_model(tmp_path: Path) -> None:
    pairs = {precision: write_pair(tmp_path, precision=precision) for precision in ("fp32", "fp16", "int8-fp16")}
    for precision, (template, track) in pairs.items():
        found = find(tmp_path, precision)
        assert (found.name, found.model_spec.precision) == ("a", precision)
        assert (found.template, found.track) == (template, track)


def test_a_named_file_is_taken_in_its_own_precision(tmp_path: Path) -> None:
    assert find(write_pair(tmp_path, precision="int8")[1]).model_spec.precision == "int8"


def test_whatever_else_is_named_is_taken_in_float16(tmp_path: Path) -> None:
    write_pair(tmp_path)
    write_pair(tmp_path, precision="fp16")
    assert find(tmp_path).model_spec.precision == "fp16"


def test_graphs_may_lie_beside_the_engines_to_be(tmp_path: Path) -> None:
    (tmp_path / "engines").mkdir()
    write_pair(tmp_path)
    template, _ = write_pair(tmp_path / "engines", precision="fp16")
    assert find(tmp_path, folders=[tmp_path / "engines"]).template == template


@pytest.mark.parametrize(
    ("precision", "options"),
    [("fp16", "--precision fp16"), ("int8", "--precision int8 --calib VIDEO")],
    ids=["fp16", "int8 needs calibration clips"],
)
def test_a_precision_that_was_not_exported_ends_in_the_command_that_does(
    tmp_path: Path, precision: str, options: str
) -> None:
    write_pair(tmp_path)
    write_pair(tmp_path, precision="int8-fp16")
    with pytest.raises(UsageError) as caught:
        find(tmp_path, precision)
    assert str(caught.value) == (
        f"there are no {precision} graphs of `a`: {tmp_path}/a.{precision}.track.onnx does not exist\n"
        f"hint: take what is there: --precision fp32 or int8-fp16; or make them where PyTorch is, on a laptop for example: eatrack-edge export CHECKPOINT {options} -o FOLDER; "
        f"then bring FOLDER here: eatrack-edge build FOLDER --precision {precision}"
    )


def test_of_a_bundled_model_the_command_names_it() -> None:
    with pytest.raises(
        UsageError, match="eatrack-edge export eatrack_deit --precision fp16 -o FOLDER; then bring"
    ) as it:
        find("eatrack_deit")
    assert it.value.hint.startswith("take what is there: --precision fp32; or make them")


def test_an_unknown_precision_is_refused() -> None:
    with pytest.raises(UsageError, match="no precision called `fp8`\nhint: known: fp32, fp16, int8, int8-fp16"):
        find("eatrack_s", "fp8")
    with pytest.raises(UsageError, match="no precision called `int8_fp16`\nhint: did you mean `int8-fp16`"):
        find("eatrack_s", "int8_fp16")


def test_a_folder_must_hold_one_model(tmp_path: Path) -> None:
    write_pair(tmp_path)
    write_pair(tmp_path, name="b")
    with pytest.raises(InputError) as caught:
        find(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: holds 2 exported models, needs exactly one\n"
        f"hint: name one of them: {tmp_path}/a.track.onnx, {tmp_path}/b.track.onnx"
    )


def test_where_a_folder_holds_several_precisions_the_hint_names_the_files_to_choose_from(tmp_path: Path) -> None:
    write_pair(tmp_path)
    write_pair(tmp_path, precision="fp16")
    with pytest.raises(InputError) as caught:
        find_graphs(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: holds 2 exported models, needs exactly one\n"
        f"hint: name one of them: {tmp_path}/a.fp16.track.onnx, {tmp_path}/a.track.onnx"
    )
    assert find_graphs(tmp_path / "a.track.onnx")[0].name == "a.template.onnx"


@pytest.mark.parametrize("name", ["my net.pth", "OSTrack_ep0300.pth.tar", "eatrack_s.safetensors", "last.pt"])
def test_a_checkpoint_is_to_be_exported_first(tmp_path: Path, name: str) -> None:
    checkpoint = tmp_path / name
    checkpoint.touch()
    command = f"export it first: eatrack-edge export {shlex.quote(str(checkpoint))} -o graphs; then: --model graphs"
    for model in (str(checkpoint), checkpoint):
        with pytest.raises(UsageError) as caught:
            find_graphs(model)
        assert caught.value.message == f"{checkpoint}: is a checkpoint, tracking runs the graphs exported from it"
        assert caught.value.hint == command
    for look in (find_graphs, find):  # the folder of a training run
        with pytest.raises(InputError, match="holds 0 exported models, needs exactly one") as in_folder:
            look(tmp_path)
        assert in_folder.value.hint == command


def test_an_empty_folder_says_how_a_model_comes_into_it(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds 0 exported models.*\nhint: make one: eatrack-edge export CHECKPOINT"):
        find_graphs(tmp_path)


def test_graphs_that_were_renamed_are_found_out(tmp_path: Path) -> None:
    write_pair(tmp_path, precision="fp16", says="fp32")
    with pytest.raises(
        InputError, match=r"a\.fp16\.track\.onnx: is called fp16, its model specification says fp32\nhint: export"
    ):
        find(tmp_path)


def test_graphs_of_two_exports_are_refused(tmp_path: Path) -> None:
    template, _ = write_pair(tmp_path, precision="fp16")
    template.write_bytes(write_pair(tmp_path)[0].read_bytes())
    with pytest.raises(InputError, match=r"a\.fp16\.template\.onnx and a\.fp16\.track\.onnx come from different exp"):
        find(tmp_path)
