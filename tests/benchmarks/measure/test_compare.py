from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.samples import on_another_machine, result
from eatrack_edge.benchmarks.measure.compare import (
    check_comparable,
    check_regression,
    compare,
    differences,
    parse_share,
)
from eatrack_edge.core.errors import GateFailed, UsageError


def test_the_same_twice_is_no_regression() -> None:
    changes = compare(result(), result())
    assert {change.name for change in changes if change.is_gated} >= {
        "total p50, ms",
        "total p95, ms",
        "energy per frame, J",
    }
    check_regression(changes, 0.0)


def test_slower_by_more_than_allowed_fails_and_names_the_figures() -> None:
    with pytest.raises(GateFailed) as caught:
        check_regression(compare(result(), result(scale=1.2)), 0.1)
    assert caught.value.exit_code == 4
    assert caught.value.message.startswith("slower than the 10% allowed: total p50, ms: 11 to 13.2, +20.0%; total p95")
    assert caught.value.hint == "measure again on a quiet machine to confirm it"


def test_slower_by_less_than_allowed_passes() -> None:
    check_regression(compare(result(), result(scale=1.09)), 0.1)


def test_faster_is_never_a_regression() -> None:
    check_regression(compare(result(), result(scale=0.5)), 0.0)


def test_a_figure_that_does_not_repeat_is_shown_and_not_gated() -> None:
    changes = compare(result(), replace(result(), first_frame_ms=200.0))
    assert {change.name: change.share for change in changes}["first frame, ms"] == pytest.approx(9.0)
    check_regression(changes, 0.1)


def test_a_figure_that_only_one_result_has_is_left_out() -> None:
    names = {change.name for change in compare(result(), replace(result(), energy=None))}
    assert "energy per frame, J" not in names


def test_results_with_and_without_a_refinement_are_not_compared() -> None:
    """Results of before there was one do not name it."""
    off, refined = (replace(result(), model=replace(result().model, refinement=name)) for name in ("off", "vittrack"))
    assert differences(result(), off) == []
    assert differences(result(), refined) == ["refinement: off before, vittrack after"]


def test_results_of_two_machines_are_not_compared() -> None:
    assert differences(result(), result()) == []
    with pytest.raises(UsageError) as caught:
        check_comparable(result(), on_another_machine())
    assert caught.value.message == (
        "the two results differ in more than speed: "
        "machine: ACME Notebook 14, not a Jetson Orin before, Something else after"
    )


@pytest.mark.parametrize("text", ["ten", "-5%", "", "nan", "inf"])
def test_what_is_no_share_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_share(text)
    assert caught.value.message == f"--max-regression takes a share such as 10% or 0.1, got `{text}`"
