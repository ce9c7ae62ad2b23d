from __future__ import annotations

import pytest

from eatrack_edge.machine.sampler import Sampler
from machine import boards


def test_the_sampler_reads_a_boards_rails_clocks_and_temperatures(nano: boards.Tree) -> None:
    with Sampler(nano.root, every_s=0.01) as sampler:
        pass
    first, last = sampler.samples[0], sampler.samples[-1]
    assert first.t < last.t
    assert first.gpu_hz == 510_000_000
    assert first.cpu_hz is not None
    assert first.temperatures["gpu-thermal"] == pytest.approx(47.843)
    assert [rail.label for rail in first.rails] == ["VDD_IN", "VDD_CPU_GPU_CV", "VDD_SOC"]
