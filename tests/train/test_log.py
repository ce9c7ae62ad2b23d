from __future__ import annotations

import math
from pathlib import Path
from xml.etree import ElementTree

import pytest

from eatrack_edge.core.errors import InputError
from eatrack_edge.train.log import append_row, draw_curve, read_log

pytestmark = pytest.mark.torch


def test_rows_are_read_back_as_written(tmp_path: Path) -> None:
    for samples in (8, 16):
        append_row(tmp_path / "log.csv", {"samples": samples, "total": 2.5 / samples})
    assert read_log(tmp_path / "log.csv") == [{"samples": 8, "total": 0.3125}, {"samples": 16, "total": 0.15625}]


def test_a_curve_is_drawn_for_what_was_measured() -> None:
    rows = [{"samples": n, "total": 3.0 - n / 10, "pair_slope": math.nan if n == 1 else 0.5} for n in (1, 2, 3)]
    drawn = ElementTree.fromstring(draw_curve(rows, "eatrack_tiny"))
    lines = [part for part in drawn.iter() if part.tag.endswith("path")]
    assert [line.attrib["d"].count("L") + 1 for line in lines] == [3, 2]
    texts = [part.text for part in drawn.iter() if part.tag.endswith("text")]
    assert {"eatrack_tiny", "loss: last 2.700", "size slope: last 0.500"} <= set(texts)


@pytest.mark.parametrize(
    ("text", "message"),
    [(None, "cannot be read as a training log"), ("a,b\n1,x\n", "cannot be read"), ("a\n1\n", "no column `samples`")],
    ids=["missing", "words", "another table"],
)
def test_a_file_that_is_no_log_is_refused(text: str | None, message: str, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "log.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        read_log(tmp_path / "log.csv")
