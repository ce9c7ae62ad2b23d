from __future__ import annotations

import time

import pytest

from eatrack_edge.machine import energy as energy_module
from eatrack_edge.machine.energy import EnergyMeter, energy_above_idle, idle_watts, mean_watts
from eatrack_edge.machine.power import Rail
from eatrack_edge.machine.sampler import Sample
from eatrack_edge.machine.thermal import Throttling
from machine import boards


def sample(t: float, watts: float | None) -> Sample:
    rails = () if watts is None else (Rail("VDD_IN", 5.0, watts / 5, watts), Rail("VDD_SOC", 5.0, 0.1, 0.5))
    return Sample(t, rails, {}, Throttling(), None, None, 0)


def test_idle_power_is_the_mean_of_the_samples() -> None:
    assert mean_watts([sample(0.0, 4.0), sample(1.0, None), sample(2.0, 6.0)]) == 5.0
    assert mean_watts([]) is None


def test_idle_power_of_a_board_is_read_for_a_while(nano: boards.Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(energy_module, "IDLE_S", 0.02)
    assert idle_watts(nano.root) == pytest.approx(4.98, rel=0.1)


def test_a_machine_without_rails_has_no_idle_power_and_is_not_waited_for(pc: boards.Tree) -> None:
    start = time.perf_counter()
    assert idle_watts(pc.root) is None
    assert time.perf_counter() - start < 1.0


@pytest.mark.parametrize(
    ("intervals", "joules"),
    [
        pytest.param([(0.0, 2.0)], 12.0, id="power is linear between two samples"),
        pytest.param([(0.0, 1.0), (1.0, 2.0)], 12.0, id="two halves are the whole"),
        pytest.param([(1.0, 4.0)], 7.0 + 16.0, id="power is constant after the last sample"),
        pytest.param([(-1.0, 0.0)], 4.0, id="and before the first"),
    ],
)
def test_energy_is_the_integral_of_power(intervals: list[tuple[float, float]], joules: float) -> None:
    found = energy_above_idle([sample(0.0, 4.0), sample(2.0, 8.0)], intervals, idle_w=0.0)
    assert found is not None
    assert found.joules == pytest.approx(joules)


def test_idle_power_is_subtracted() -> None:
    samples = [sample(t, 9.0) for t in (0.0, 1.0, 2.0, 3.0)]
    found = energy_above_idle(samples, [(0.5, 2.5)], idle_w=5.0)
    assert found is not None
    assert found.joules == pytest.approx((9 - 5) * 2)
    assert (found.mean_w, found.idle_w, found.samples) == (9.0, 5.0, 4)
    assert found.rails == ("VDD_IN", "VDD_SOC")


def test_power_between_the_intervals_does_not_count() -> None:
    powers = {0.0: 8.0, 1.0: 8.0, 1.001: 20.0, 2.0: 20.0, 2.001: 8.0, 3.0: 8.0}
    samples = [sample(t, watts) for t, watts in powers.items()]
    found = energy_above_idle(samples, [(0.0, 1.0), (2.001, 3.0)], idle_w=6.0)
    assert found is not None
    assert found.mean_w == pytest.approx(8.0, abs=1e-3)


def test_a_sample_in_which_a_rail_did_not_answer_is_left_out() -> None:
    asleep = Sample(1.0, (Rail("VDD_SOC", 5.0, 0.1, 0.5),), {}, Throttling(), None, None, 0)
    samples = [sample(0.0, 6.0), asleep, sample(2.0, 6.0)]
    assert mean_watts(samples) == 6.0
    found = energy_above_idle(samples, [(0.0, 2.0)], idle_w=0.0)
    assert found is not None
    assert found.joules == pytest.approx(12.0)


@pytest.mark.parametrize(
    ("samples", "intervals", "idle_w"),
    [
        pytest.param([], [(0.0, 1.0)], 1.0, id="no samples"),
        pytest.param([sample(0.0, 5.0)], [(0.0, 1.0)], 1.0, id="one sample"),
        pytest.param([sample(0.0, None), sample(1.0, None)], [(0.0, 1.0)], 1.0, id="no rails"),
        pytest.param([sample(0.0, 5.0), sample(1.0, 5.0)], [], 1.0, id="no work"),
        pytest.param([sample(0.0, 5.0), sample(1.0, 5.0)], [(0.0, 1.0)], None, id="no idle power"),
    ],
)
def test_energy_that_cannot_be_measured_is_none_rather_than_zero(
    samples: list[Sample], intervals: list[tuple[float, float]], idle_w: float | None
) -> None:
    assert energy_above_idle(samples, intervals, idle_w) is None


def test_a_meter_counts_the_work_inside_it(nano: boards.Tree) -> None:
    with EnergyMeter(idle_w=0.0, root=nano.root) as meter:
        for _ in range(2):
            with meter.work():
                time.sleep(0.02)
        time.sleep(0.05)
    assert meter.energy is not None
    assert meter.energy.joules == pytest.approx(0.04 * meter.energy.mean_w, rel=0.5)
    assert meter.energy.samples >= 2
