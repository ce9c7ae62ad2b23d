"""Renders docs/scene.jpg, the README's picture: the bundled model on the synthetic scene, four moments of one run.

make picture
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from eatrack_edge.outputs.overlay import annotate
from eatrack_edge.session.session import follow
from eatrack_edge.sources.registry import open_source
from eatrack_edge.tracking.tracker import Tracker

SOURCE = "test://?frames=150"
MOMENTS = (15, 55, 95, 135)
GAP = 6  # px between the pictures


def main() -> None:
    """Track the scene and put the moments side by side, two by two."""
    tracker, pictures = Tracker(), []
    with open_source(SOURCE) as source:
        truth = source.truth
        assert truth is not None
        x, y, w, h = (float(value) for value in truth[0])
        for shown, record in follow(tracker, source, (x, y, w, h)):
            if shown.index in MOMENTS:
                pictures.append(annotate(shown.frame, record, templates=tracker.template_crops, truth=shown.truth))
    height, width = pictures[0].shape[:2]
    sheet = np.full((2 * height + GAP, 2 * width + GAP, 3), 255, np.uint8)
    for place, picture in enumerate(pictures):
        top, left = (place // 2) * (height + GAP), (place % 2) * (width + GAP)
        sheet[top : top + height, left : left + width] = picture
    small = cv2.resize(sheet, None, fx=0.75, fy=0.75, interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(Path(__file__).parent / "scene.jpg"), small, [cv2.IMWRITE_JPEG_QUALITY, 88])


if __name__ == "__main__":
    main()
