from __future__ import annotations

import pytest

from eatrack_edge.core.errors import did_you_mean

KNOWN = ("fp32", "fp16")


@pytest.mark.parametrize(
    ("hint", "expected"),
    [
        pytest.param(did_you_mean("fp61", KNOWN), "did you mean `fp16`?", id="the nearest"),
        pytest.param(
            did_you_mean("fp61", KNOWN, prefix="gate."), "did you mean `gate.fp16`?", id="as it is to be written"
        ),
        pytest.param(did_you_mean("x", KNOWN), "known: fp32, fp16", id="all where none is near"),
        pytest.param(did_you_mean("x", KNOWN, "{}; or a file"), "fp32, fp16; or a file", id="in the caller's words"),
    ],
)
def test_a_name_that_nothing_has_leads_to_one_that_something_has(hint: str, expected: str) -> None:
    assert hint == expected
