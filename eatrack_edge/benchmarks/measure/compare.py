"""Compares a result with an earlier one: what got slower, and by how much."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from eatrack_edge.benchmarks.measure.bench_result import Result
from eatrack_edge.core.errors import GateFailed, UsageError

# Only figures that repeat are gated; the p99 of a single run is shown but not gated.
_FIGURES: tuple[tuple[str, bool, Callable[[Result], float | None]], ...] = (
    ("total p50, ms", True, lambda result: result.latency_ms["total"].p50),
    ("total p95, ms", True, lambda result: result.latency_ms["total"].p95),
    ("total p99, ms", False, lambda result: result.latency_ms["total"].p99),
    ("around infer p50, ms", True, lambda result: _p50(result, "around_infer")),
    ("infer p50, ms", True, lambda result: _p50(result, "infer")),
    ("first frame, ms", False, lambda result: result.first_frame_ms),
    ("load, ms", False, lambda result: result.load_ms),
    ("memory once loaded, MB", True, lambda result: result.memory_mb.get("loaded")),
    ("energy per frame, J", True, lambda result: result.energy.j_per_frame if result.energy else None),
)


class Change(NamedTuple):
    """One figure in both results."""

    name: str
    before: float
    after: float
    is_gated: bool

    @property
    def share(self) -> float:
        """Growth as a share of what was before; above 0 is worse."""
        return self.after / self.before - 1 if self.before else 0.0


def differences(before: Result, after: Result) -> list[str]:
    """Conditions in which two results differ, so that their figures are not about the same thing."""
    pairs = {
        "machine": (before.measured_on, after.measured_on),
        "cores": (before.board.cores, after.board.cores),
        "power mode": (before.board.power_mode, after.board.power_mode),
        "TPC mask": (before.board.tpc_mask, after.board.tpc_mask),
        "JetPack": (before.board.jetpack, after.board.jetpack),
        "model": (before.model.name, after.model.name),
        "backend": (before.model.backend, after.model.backend),
        "precision": (before.model.precision, after.model.precision),
        "refinement": (before.model.refinement or "off", after.model.refinement or "off"),
        "threads": (before.model.threads, after.model.threads),
        "source": (before.clip.uri, after.clip.uri),
    }
    return [f"{name}: {old} before, {new} after" for name, (old, new) in pairs.items() if old != new]


def compare(before: Result, after: Result) -> list[Change]:
    """Every figure that both results have."""
    found = ((name, read(before), read(after), is_gated) for name, is_gated, read in _FIGURES)
    return [
        Change(name, old, new, is_gated) for name, old, new, is_gated in found if old is not None and new is not None
    ]


def check_comparable(before: Result, after: Result) -> None:
    """Refuse to compare what was measured under other conditions.

    Raises:
        UsageError: They differ.
    """
    found = differences(before, after)
    if found:
        raise UsageError(
            f"the two results differ in more than speed: {'; '.join(found)}",
            hint="measure both alike, or look at the figures alone: --show-only",
        )


def check_regression(changes: list[Change], most: float) -> None:
    """Refuse a result that is worse than allowed.

    Args:
        changes: From ``compare``.
        most: Share by which a gated figure may grow.

    Raises:
        GateFailed: One grew by more.
    """
    worse = [change for change in changes if change.is_gated and change.share > most]
    if worse:
        figures = "; ".join(f"{one.name}: {one.before:g} to {one.after:g}, {one.share:+.1%}" for one in worse)
        raise GateFailed(
            f"slower than the {most:.0%} allowed: {figures}", hint="measure again on a quiet machine to confirm it"
        )


def parse_share(text: str) -> float:
    """A share written as ``10%`` or ``0.1``.

    Raises:
        UsageError: It is neither, or below 0.

    >>> parse_share("10%"), parse_share("0.1")
    (0.1, 0.1)
    """
    try:
        share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        share = -1.0
    if not 0 <= share < float("inf"):
        raise UsageError(f"--max-regression takes a share such as 10% or 0.1, got `{text}`")
    return share


def _p50(result: Result, stage: str) -> float | None:
    found = result.latency_ms.get(stage)
    return found.p50 if found else None
