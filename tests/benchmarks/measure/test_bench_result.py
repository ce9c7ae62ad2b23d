from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.samples import result
from eatrack_edge.benchmarks.measure.bench_result import read_result, result_schema, to_dict, write_result
from eatrack_edge.core.errors import InputError, OutputError

ROOT = Path(__file__).parents[3]
SCHEMA = ROOT / "benchmarks" / "result.schema.json"
COMMITTED = [
    path
    for path in sorted((ROOT / "benchmarks" / "results").glob("*.json"))
    if json.loads(path.read_text()).get("schema", "").startswith("eatrack-edge/bench/")
]


def test_the_committed_schema_is_that_of_the_code() -> None:
    assert json.loads(SCHEMA.read_text()) == result_schema(), "write it again: see benchmarks/README.md"


@pytest.mark.parametrize("figures", [to_dict(result()), *(json.loads(path.read_text()) for path in COMMITTED)])
def test_a_result_fits_the_schema(figures: dict[str, Any]) -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="the schema is checked with jsonschema")
    jsonschema.validate(figures, json.loads(SCHEMA.read_text()))


def test_a_result_without_its_board_does_not_fit_the_schema() -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="the schema is checked with jsonschema")
    figures = to_dict(result())
    del figures["board"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(figures, json.loads(SCHEMA.read_text()))


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_a_committed_result_can_be_read(path: Path) -> None:
    found = read_result(path)
    assert found.valid == (not found.invalid_reasons)


def test_a_result_survives_the_way_to_a_file_and_back(tmp_path: Path) -> None:
    write_result(result(), tmp_path / "new" / "a.json")
    assert read_result(tmp_path / "new" / "a.json") == result()


def test_it_has_the_keys_that_others_read() -> None:
    wanted = (
        "schema tool command env model board latency_ms fps first_frame_ms load_ms memory_mb energy thermal accuracy"
    )
    assert {*wanted.split(), "valid", "invalid_reasons"} <= set(to_dict(result()))
    assert {"min", "mean", "p50", "p90", "p95", "p99", "max", "cov"} <= set(to_dict(result())["latency_ms"]["total"])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param(None, "cannot be read: no such file or directory", id="missing"),
        pytest.param("{", "not a result of eatrack-edge bench: Input data was truncated", id="truncated"),
        pytest.param(
            '{"schema": "x"}', "not a result of eatrack-edge bench: Object missing required field `command`", id="other"
        ),
    ],
)
def test_a_file_that_is_no_result_is_refused(tmp_path: Path, text: str | None, reason: str) -> None:
    path = tmp_path / "a.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_result(path)
    assert caught.value.message == f"{path}: {reason}"


def test_a_folder_in_the_way_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "a.json").mkdir()
    with pytest.raises(OutputError):
        write_result(result(), tmp_path / "a.json")
