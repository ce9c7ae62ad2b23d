"""Makes ostrack_crops.npz: crops by OSTrack's rule, written down here from its description alone.

    python tests/core/golden/make_crops.py

The rule: side = ceil(sqrt(w*h) * factor); x1 = round(cx - side/2), half to even; x2 = x1 + side; padding on the far
sides is max(x2 - W + 1, 0), one more than needed; black; then a bilinear resize.
"""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np

CASES = {
    "inside": ((30.0, 20.0, 12.0, 9.0), 2.0, 32),
    "sub-pixel centre, half to even": ((20.5, 15.5, 9.0, 9.0), 2.0, 32),
    "over the top left": ((-3.0, -2.0, 14.0, 10.0), 4.0, 64),
    "over the bottom right": ((70.0, 50.0, 9.0, 9.0), 4.0, 64),
    "touching the far border": ((64.0, 44.0, 8.0, 8.0), 2.0, 32),
    "larger than the frame": ((5.0, 5.0, 60.0, 40.0), 4.0, 64),
    "tiny": ((40.3, 30.7, 2.0, 3.0), 2.0, 32),
}


def frame() -> np.ndarray:
    """A frame whose every pixel is known from its place: (60, 80, 3)."""
    y, x = np.mgrid[0:60, 0:80]
    return np.stack([(7 * x + 3 * y) % 256, (5 * y + x * y) % 256, (x * x + 11 * y) % 256], axis=-1).astype(np.uint8)


def sample_target(image: np.ndarray, box: tuple[float, ...], factor: float, size: int) -> np.ndarray:
    """One crop by the rule above, on a canvas padded far beyond need."""
    x, y, w, h = box
    side = math.ceil(math.sqrt(w * h) * factor)
    x1, y1 = round(x + 0.5 * w - side * 0.5), round(y + 0.5 * h - side * 0.5)
    height, width = image.shape[:2]
    margin = 400
    canvas = np.zeros((height + 2 * margin, width + 2 * margin, 3), np.uint8)
    shown_w = width - 1 if x1 + side >= width else width
    shown_h = height - 1 if y1 + side >= height else height
    canvas[margin : margin + shown_h, margin : margin + shown_w] = image[:shown_h, :shown_w]
    crop = canvas[margin + y1 : margin + y1 + side, margin + x1 : margin + x1 + side]
    return cv2.resize(crop, (size, size), interpolation=cv2.INTER_LINEAR)


if __name__ == "__main__":
    crops = {name: sample_target(frame(), *case) for name, case in CASES.items()}
    np.savez_compressed(Path(__file__).parent / "ostrack_crops.npz", **crops)
