"""The box of what lies under a point: a click names a place, and a tracker needs a size.

Foreground is cut from background (GrabCut, Rother et al. 2004) in windows of several sizes around the point. A window
of the wrong size cuts off a part of the target, or takes its surroundings with it, each differently; boxes that several
windows agree on are the target's. The network is not asked: it predicts the size that its template says, right or
wrong.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from eatrack_edge.core.boxes import Box, part_in_frame
from eatrack_edge.core.crops import CropWindow, Frame, cut
from eatrack_edge.core.errors import InputError

# Shares are of the square root of the picture's area. The median target of the 28 development videos has 0.05.
_SHARES = (0.032, 0.05, 0.08, 0.128, 0.2, 0.3)  # sides of the foreground looked for
_USUAL_SHARE = 0.05
_SPREAD = 0.9  # standard deviation of the logarithm of a target's share
_UNKNOWN_SHARE = 0.055  # where no box is plausible; the best fixed share on the same videos
_WINDOW_PX = 48  # of the resampled window
_WINDOW_SIDES = 3.0  # side of the window / side of the foreground looked for
_PROBABLE_SIDES = 1.8  # beyond it all is background
_ITERATIONS = 2
# Side of the box that was found / side looked for: less is a speck, more has run into the surroundings.
_PLAUSIBLE = (0.15, 1.75)
_ALONE = 0.3  # agreement of a box that no other one overlaps
_PADDING_BGR = (104, 116, 124)


def propose_box(frame: Frame, x: float, y: float) -> Box:
    """Propose the box of what lies under a point. The same point of the same frame gives the same box.

    Args:
        frame: Shape (H, W, 3), BGR uint8.
        x: Of the point, pixels of the frame.
        y: The same.

    Returns:
        In pixels of the frame; it may run over the border, but its centre is inside. A square of 0.055 of the
        picture's side where nothing stands out.

    Raises:
        InputError: The point is not finite, or lies outside the frame.
    """
    height, width = frame.shape[:2]
    if not (0 <= x < width and 0 <= y < height):
        raise InputError(f"the point {x:g},{y:g} lies outside the frame, {width}x{height}")
    picture_side = math.sqrt(width * height)
    found = [_foreground_box(frame, x, y, share * picture_side) for share in _SHARES]
    boxes = [box for box in found if box is not None]
    if not boxes:
        side = _UNKNOWN_SHARE * picture_side
        return x - side / 2, y - side / 2, side, side
    best = max(boxes, key=lambda box: _agreement(box, boxes) * _usualness(box, picture_side))
    return part_in_frame(best, width, height)  # what surrounds the frame may have been taken for foreground


def _foreground_box(frame: Frame, x: float, y: float, side: float) -> Box | None:
    """The box of the foreground under a point, if it is about as large as the side looked for."""
    window_side = _WINDOW_SIDES * side
    window = CropWindow(x - window_side / 2, y - window_side / 2, window_side, _WINDOW_PX)
    labels = _first_labels()
    cv2.setRNGSeed(0)  # of the colour clusters
    crop, background, object_model = cut(frame, window, _PADDING_BGR), np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(crop, labels, (0, 0, 0, 0), background, object_model, _ITERATIONS, cv2.GC_INIT_WITH_MASK)
    foreground = ((labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)).astype(np.uint8)
    _, components, boxes, _ = cv2.connectedComponentsWithStats(foreground)
    left, top, w, h = (float(value) for value in boxes[components[_WINDOW_PX // 2, _WINDOW_PX // 2], :4])
    box = window.to_frame((left, top, w, h))
    low, high = _PLAUSIBLE
    return box if low < math.sqrt(box[2] * box[3]) / side < high else None


def _first_labels() -> Frame:
    """What is foreground before GrabCut looks: the point for sure, the square around it probably."""
    labels = np.full((_WINDOW_PX, _WINDOW_PX), cv2.GC_BGD, np.uint8)
    for sides, label in ((_PROBABLE_SIDES, cv2.GC_PR_BGD), (1.0, cv2.GC_PR_FGD)):
        border = int(_WINDOW_PX * (0.5 - 0.5 * sides / _WINDOW_SIDES))
        labels[border : _WINDOW_PX - border, border : _WINDOW_PX - border] = label
    middle = _WINDOW_PX // 2
    labels[middle - 1 : middle + 1, middle - 1 : middle + 1] = cv2.GC_FGD
    return labels


def _agreement(box: Box, boxes: list[Box]) -> float:
    """The overlaps of a box with those of the other windows, added."""
    return _ALONE + sum(_overlap(box, other) for other in boxes if other is not box)


def _usualness(box: Box, picture_side: float) -> float:
    """How usual a box's size is, in (0, 1]."""
    off = math.log(math.sqrt(box[2] * box[3]) / picture_side / _USUAL_SHARE) / _SPREAD
    return math.exp(-off * off / 2)


def _overlap(a: Box, b: Box) -> float:
    w = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    h = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    shared = max(0.0, w) * max(0.0, h)
    return shared / (a[2] * a[3] + b[2] * b[3] - shared)
