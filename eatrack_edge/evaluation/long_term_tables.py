"""Long-term figures as values for JSON and as rows of text for tables."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from eatrack_edge.evaluation.absences import Delays
from eatrack_edge.evaluation.false_alarms import FalseAlarms, at_most_per_minute
from eatrack_edge.evaluation.long_term import LongTerm, StateFigures
from eatrack_edge.evaluation.vot_long_term import PrecisionRecall, f_scores


def vot_table(found: Mapping[str, LongTerm]) -> list[list[str]]:
    """Rows of text, the first of headings: VOT-LT's scores of every tracker, and those of what its states claim."""
    rows = [["tracker", "F-score", "precision", "recall", "at confidence", "claimed: F", "precision", "recall"]]
    for title, figures in found.items():
        curve = _best(figures.curve) if figures.curve else {}
        cells = [_figure(curve.get(key, math.nan)) for key in ("f_score", "precision", "recall", "threshold")]
        rows.append([title, *cells, *(_claimed_cells(figures.states) if figures.states else ["-"] * 3)])
    return rows


def state_table(found: Mapping[str, LongTerm]) -> list[list[str]]:
    """Rows of text, the first of headings: one row a figure, one column for each tracker that has states."""
    known = {title: figures.states for title, figures in found.items() if figures.states}
    if not known:
        return []
    return [["", *known], *([name, *(write(states) for states in known.values())] for name, write in _ROWS)]


def long_term_summary(figures: LongTerm) -> dict[str, Any]:
    """Long-term figures of a tracker, ready for JSON: what never happens, and what is unknown, is null."""
    states = figures.states
    if states is None:
        return {"vot_lt": _best(figures.curve) if figures.curve else None, "states": None}
    precision, recall = states.claimed
    delays = {name: getattr(states, name)._asdict() for name in ("silent", "lost", "near", "found")}
    alarms = states.alarms
    rates = {
        "per_minute": alarms.per_minute,
        "wrong_per_minute": alarms.wrong_per_minute,
        "per_minute_at_most_95": at_most_per_minute(alarms.alarms, alarms.absent_minutes),
        "wrong_per_minute_at_most_95": at_most_per_minute(alarms.wrong, alarms.minutes),
    }
    plain = {
        "claimed": {"precision": precision, "recall": recall, "f_score": _f(states)},
        "delays_s": delays,
        "frames": asdict(states.reports),
        "alarms": {**asdict(alarms), **rates},
    }
    return {
        "vot_lt": _best(figures.curve) if figures.curve else None,
        "states": {name: _finite(part) for name, part in plain.items()},
    }


def _finite(part: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: _finite(value) if isinstance(value, dict) else _number(value) if isinstance(value, float) else value
        for key, value in part.items()
    }


def _number(value: float) -> float | None:
    return round(value, 6) if math.isfinite(value) else None


def _best(curve: PrecisionRecall) -> dict[str, float]:
    at = curve.best
    figures = {
        "f_score": curve.f_score[at],
        "precision": curve.precision[at],
        "recall": curve.recall[at],
        # At the lowest threshold, an infinite one, every frame is predicted: the lowest confidence says the same.
        "threshold": curve.thresholds[at] if np.isfinite(curve.thresholds[at]) else curve.thresholds[-2],
    }
    return {key: round(float(value), 6) for key, value in figures.items()}


def _f(states: StateFigures) -> float:
    return float(f_scores(*(np.array([value]) for value in states.claimed))[0])


def _claimed_cells(states: StateFigures) -> list[str]:
    return [_figure(value) for value in (_f(states), *states.claimed)]


def _figure(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}"


def _part(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.1%}"


def _soon(found: Delays) -> str:
    return f"{found.soon:.0%} of {found.cases}" if found.cases else "-"


def _times(found: Delays) -> str:
    return " / ".join(_seconds(value) for value in (found.median, found.p90)) if found.cases else "-"


def _seconds(value: float) -> str:
    return "never" if math.isinf(value) else f"{value:.1f} s"


def _alarm_rate(alarms: FalseAlarms) -> str:
    if not alarms.absent_minutes:
        return "-"
    bound = at_most_per_minute(alarms.alarms, alarms.absent_minutes)
    rate = f"{alarms.per_minute:.1f}" if math.isnan(bound) else f"0 (below {bound:.2g} at 95 %)"
    return f"{rate} in {alarms.absent_minutes:.1f} min"


def _wrong_rate(alarms: FalseAlarms) -> str:
    bound = at_most_per_minute(alarms.wrong, alarms.minutes)
    rate = f"{alarms.wrong_per_minute:.2g}" if math.isnan(bound) else f"0 (below {bound:.2g} at 95 %)"
    return f"{rate}; {alarms.wrong} of {alarms.reacquired}"


_ROWS: tuple[tuple[str, Callable[[StateFigures], str]], ...] = (
    ("target gone: no longer claimed within 1 s", lambda states: _soon(states.silent)),
    ("target gone: until no longer claimed, median / p90", lambda states: _times(states.silent)),
    ("target gone: LOST within 1 s", lambda states: _soon(states.lost)),
    ("target gone: until LOST, median / p90", lambda states: _times(states.lost)),
    ("frames without a target that claim one", lambda states: _part(states.alarms.claimed)),
    ("false alarms per minute without a target", lambda states: _alarm_rate(states.alarms)),
    ("target back near: found within 1 s", lambda states: _soon(states.near)),
    ("target back: found within 1 s", lambda states: _soon(states.found)),
    ("target back: until found, median / p90", lambda states: _times(states.found)),
    ("wrong re-acquisitions per minute", lambda states: _wrong_rate(states.alarms)),
    ("lost frames reported LOST", lambda states: _part(states.reports.lost_reported)),
    ("lost frames claimed visible", lambda states: _part(states.reports.lost_claimed)),
    ("good frames reported LOST", lambda states: _part(states.reports.good_reported)),
    ("good frames claimed visible", lambda states: _part(states.reports.good_claimed)),
)
