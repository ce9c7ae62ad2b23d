from __future__ import annotations

import pytest

from eatrack_edge.benchmarks.energy import energy, idle_watts
from eatrack_edge.benchmarks.sampler import Sample, Sampler
from eatrack_edge.machine.power import Rail
from eatrack_edge.machine.thermal import Throttling
from machine import boards

pytest_plugins = ["machine.conftest"]


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
    assert energy(samples, [(0.0, 1.0, 1)], idle_watts(samples)) is None


def test_idle_is_the_mean_of_what_was_sampled_at_rest() -> None:
    assert idle_watts([sample(0.0, 4.0), sample(1.0, None), sample(2.0, 6.0)]) == 5.0
    assert idle_watts([]) is None


def test_the_sampler_reads_a_boards_rails_clocks_and_temperatures(nano: boards.Tree) -> None:
    with Sampler(nano.root, every_s=0.01) as sampler:
        pass
    first, last = sampler.samples[0], sampler.samples[-1]
    assert first.t < last.t
    assert first.gpu_hz == 510_000_000
    assert first.cpu_hz is not None
    assert first.temperatures["gpu-thermal"] == pytest.approx(47.843)
    assert [rail.label for rail in first.rails] == ["VDD_IN", "VDD_CPU_GPU_CV", "VDD_SOC"]
