from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from eatrack_edge.sources.orientation import Orientation


@given(st.sampled_from([0, 90, 180, 270]), st.booleans())
def test_an_orientation_is_what_its_matrix_does_to_pixels(degrees: int, is_mirrored: bool) -> None:
    turn = np.deg2rad(degrees)
    a, b, c, d = np.round([np.cos(turn), np.sin(turn), -np.sin(turn), np.cos(turn)]).astype(int)
    if is_mirrored:
        a, b = -a, -b
    matrix = np.array([a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30], np.int32).tobytes()
    frame = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    turned = Orientation.from_display_matrix(matrix).apply(frame)
    place = np.array([[(a * x + c * y, b * x + d * y) for x in range(3)] for y in range(2)])
    place -= place.reshape(-1, 2).min(0)
    for y in range(2):
        for x in range(3):
            assert (turned[place[y, x, 1], place[y, x, 0]] == frame[y, x]).all()
