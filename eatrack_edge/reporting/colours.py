"""The colours and line styles of every chart, plot and thumbnail."""

from __future__ import annotations

# Okabe and Ito's palette, which colour-blind readers can tell apart.
SERIES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#555555")
MEASURED, SECOND = SERIES[0], SERIES[1]  # what was measured here; a second quantity, or a faster tracker
PROJECTED = SERIES[3]  # what was calculated and not measured
GRID, MARK = "#e4e4e4", "#999999"

# SVG's stroke-dasharray: dash and gap in line widths. Empty is a solid line.
DASHES: tuple[tuple[float, ...], ...] = ((), (5, 2), (1, 1.5))


def series_colour(place: int) -> str:
    """Colour of the series at a place of the ranking, from 0; the palette repeats where it runs out.

    >>> series_colour(0) == series_colour(7)
    True
    """
    return SERIES[place % len(SERIES)]


def series_dash(place: int) -> tuple[float, ...]:
    """Dashes of the series at a place of the ranking: solid for the first seven, so that no two look the same.

    >>> series_dash(0), series_dash(7)
    ((), (5, 2))
    """
    return DASHES[place // len(SERIES) % len(DASHES)]
