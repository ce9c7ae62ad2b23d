"""How fast a gimbal is to turn, from where the target is in the picture."""

from __future__ import annotations

_GAIN = 1.0  # degrees per second for a degree: the error falls to a third in a second
_DEAD_BAND = 0.02  # of the picture's width
_MOST_DEG_S = 20.0
_MOST_DEG_S2 = 40.0  # change of the rate in a second; a stop is not held to it


class GimbalRates:
    """A proportional controller with a dead band, a limit of the rate, and a limit of its change.

    Args:
        view_deg: Horizontal field of view of the camera, degrees.

    >>> rates = GimbalRates(60)
    >>> rates.advance((0.25, 0.0), 0.1)  # a quarter of the width to the right: 15 degrees
    (0.0, 4.0)
    >>> rates.stop(), rates.stop()
    (True, False)
    """

    def __init__(self, view_deg: float) -> None:
        self._view_deg = view_deg
        self._rates = (0.0, 0.0)

    def advance(self, error: tuple[float, float], elapsed_s: float) -> tuple[float, float]:
        """The rates from now on.

        Args:
            error: How far the target is right of the middle and below it, parts of the picture's width.
            elapsed_s: Since the last rates.

        Returns:
            Up and to the right, degrees per second.
        """
        right, down = error
        up, to_right = self._rates
        self._rates = self._step(up, -down, elapsed_s), self._step(to_right, right, elapsed_s)
        return self._rates

    def stop(self) -> bool:
        """Rates of zero; whether they were others."""
        was_moving, self._rates = self._rates != (0.0, 0.0), (0.0, 0.0)
        return was_moving

    def _step(self, rate: float, error: float, elapsed_s: float) -> float:
        wanted = 0.0 if abs(error) < _DEAD_BAND else _GAIN * error * self._view_deg
        wanted = min(max(wanted, -_MOST_DEG_S), _MOST_DEG_S)
        change = _MOST_DEG_S2 * elapsed_s
        return min(max(wanted, rate - change), rate + change)
