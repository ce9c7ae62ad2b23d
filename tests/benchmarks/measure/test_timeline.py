from __future__ import annotations

from dataclasses import replace

from eatrack_edge.benchmarks.measure.timeline import thermal, timeline
from eatrack_edge.machine.sampler import take_sample
from eatrack_edge.machine.thermal import Throttling
from machine import boards

pytest_plugins = ["machine.conftest"]


def test_alarms_from_before_the_run_are_not_counted(nx: boards.Tree) -> None:
    sample = replace(take_sample(nx.root), throttling=Throttling({}, {"oc3": 17}))
    assert not thermal([sample, sample]).throttled


def test_temperatures_are_of_the_start_the_maximum_and_the_end(pc: boards.Tree) -> None:
    cool, hot = take_sample(pc.root), replace(take_sample(pc.root), temperatures={"acpitz": 71.0})
    heat = thermal([cool, hot, cool])
    assert (heat.start["acpitz"], heat.max["acpitz"], heat.end["acpitz"]) == (40.0, 71.0, 40.0)


def test_a_timeline_keeps_every_slow_update(pc: boards.Tree) -> None:
    base = take_sample(pc.root)
    spans = [(base.t + step, base.t + step + 1, 2) for step in range(300)]
    totals = [5.0] * 600
    totals[401] = 90.0
    moments = timeline([base, replace(base, t=base.t + 300)], spans, totals)
    assert len(moments) == 120
    assert max(moment.max or 0 for moment in moments) == 90.0
    assert [moment.t_s for moment in moments if moment.max == 90.0] == [200.0]
