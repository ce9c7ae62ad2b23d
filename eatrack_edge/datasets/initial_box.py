"""Where a tracker's first box lies: on the true one, or a little off it, as a hand would draw it.

What a tracker follows after an occlusion may hang on a hundredth of a pixel, and one video lost is 0.02 to 0.04 of a
mean over 14. So a single run cannot tell two models apart that are closer than that, and several starts can.
"""

from __future__ import annotations

import numpy as np

_SEED = 2026


def start_shift(start: int) -> tuple[float, float]:
    """How far a first box lies from the true one.

    Args:
        start: 0 for the true one. Every other number stands for one place, the same at every call.

    Returns:
        Pixels across and down, in [-1, 1].
    """
    if start == 0:
        return 0.0, 0.0
    across, down = np.random.default_rng(_SEED).uniform(-1, 1, (start + 1, 2))[start].tolist()
    return across, down
