from __future__ import annotations

import pytest

from eatrack_edge.benchmarks.measure.energy import energy
from eatrack_edge.machine.energy import mean_watts
from eatrack_edge.machine.power import Rail
from eatrack_edge.machine.sampler import Sample
from eatrack_edge.machine.thermal import Throttling


def sample(t: float, watts: float | None) -> Sample:
    rails = () if watts is None else (Rail("VDD_IN", 5.0, watts / 5, watts), Rail("VDD_SOC", 5.0, 0.1, 0.5))
    return Sample(t, rails, {}, Throttling(), None, None, 0)


def test_joules_are_those_above_idle_divided_by_the_frames() -> None:
    samples = [sample(t, 9.0) for t in (0.0, 1.0, 2.0, 3.0)]
    found = energy(samples, [(0.5, 2.5, 40)], idle_w=5.0)
    assert found is not None
    assert found.j_per_frame == pytest.approx((9 - 5) * 2 / 40)
    assert (found.mean_w, found.idle_w, found.samples) == (9.0, 5.0, 4)
    assert found.rails == ["VDD_IN", "VDD_SOC"]


def test_another_trackers_turn_costs_us_nothing() -> None:
    samples = [
        sample(0.0, 8.0),
        sample(1.0, 8.0),
        sample(1.001, 20.0),
        sample(2.0, 20.0),
        sample(2.001, 8.0),
        sample(3.0, 8.0),
    ]
    found = energy(samples, [(0.0, 1.0, 10), (2.001, 3.0, 10)], idle_w=6.0)
    assert found is not None
    assert found.mean_w == pytest.approx(8.0, abs=1e-3)


def test_power_between_two_samples_is_their_line() -> None:
    found = energy([sample(0.0, 4.0), sample(2.0, 8.0)], [(0.0, 2.0, 1)], idle_w=0.0)
    assert found is not None
    assert found.j_per_frame == pytest.approx(12.0)


@pytest.mark.parametrize("samples", [[], [sample(0.0, None), sample(1.0, None)], [sample(0.0, 5.0)]])
def test_without_rails_there_is_no_energy_rather_than_a_zero(samples: list[Sample]) -> None:
    assert energy(samples, [(0.0, 1.0, 1)], mean_watts(samples)) is None
