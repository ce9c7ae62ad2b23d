from __future__ import annotations

import pytest

from eatrack_edge.machine.energy import joules, mean_watts
from eatrack_edge.machine.power import Rail
from eatrack_edge.machine.sampler import Sample
from eatrack_edge.machine.thermal import Throttling


def sample(t: float, watts: float | None) -> Sample:
    rails = () if watts is None else (Rail("VDD_IN", 5.0, watts / 5, watts), Rail("VDD_SOC", 5.0, 0.1, 0.5))
    return Sample(t, rails, {}, Throttling(), None, None, 0)


def test_idle_is_the_mean_of_what_was_sampled_at_rest() -> None:
    assert mean_watts([sample(0.0, 4.0), sample(1.0, None), sample(2.0, 6.0)]) == 5.0
    assert mean_watts([]) is None


@pytest.mark.parametrize(
    ("stretches", "expected"),
    [
        pytest.param([(0.0, 2.0)], 12.0, id="power between two samples is their line"),
        pytest.param([(0.0, 1.0), (1.0, 2.0)], 12.0, id="two halves are the whole"),
        pytest.param([(1.0, 4.0)], 7.0 + 16.0, id="beyond the last sample power stays"),
        pytest.param([(-1.0, 0.0)], 4.0, id="before the first too"),
        pytest.param([], 0.0, id="no work"),
    ],
)
def test_joules_are_the_integral_of_power(stretches: list[tuple[float, float]], expected: float) -> None:
    assert joules([sample(0.0, 4.0), sample(2.0, 8.0)], stretches) == pytest.approx(expected)


def test_a_sample_in_which_a_rail_did_not_answer_is_left_out() -> None:
    asleep = Sample(1.0, (Rail("VDD_SOC", 5.0, 0.1, 0.5),), {}, Throttling(), None, None, 0)
    samples = [sample(0.0, 6.0), asleep, sample(2.0, 6.0)]
    assert mean_watts(samples) == 6.0
    assert joules(samples, [(0.0, 2.0)]) == pytest.approx(12.0)


@pytest.mark.parametrize("samples", [[], [sample(0.0, 5.0)], [sample(0.0, None), sample(1.0, None)]])
def test_without_rails_there_are_no_joules_rather_than_none_drawn(samples: list[Sample]) -> None:
    assert joules(samples, [(0.0, 1.0)]) is None
