"""Renders docs/images/scene.webp, the README's animation: the bundled model on the synthetic scene.

make picture
"""

from __future__ import annotations

from pathlib import Path

import cv2

from eatrack_edge import Tracker, open_source
from eatrack_edge.outputs.overlay import annotate
from eatrack_edge.session.session import track

SOURCE = "test://?frames=150"
EVERY = 2  # frames: 15 a second look smooth, and take half the room
WIDTH = 560  # px
QUALITY = 55  # of WebP, in percent
TARGET = Path(__file__).parent / "images" / "scene.webp"


def main() -> None:
    animation = cv2.Animation()
    pictures, durations = [], []
    with open_source(SOURCE) as source, Tracker() as tracker:
        assert source.truth is not None
        x, y, w, h = (float(value) for value in source.truth[0])
        for shown, record in track(tracker, source, (x, y, w, h)):
            if shown.index % EVERY == 0:
                picture = annotate(shown.frame, record, templates=tracker.templates.crops, truth=shown.truth)
                scale = WIDTH / picture.shape[1]
                pictures.append(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
                durations.append(round(1000 * EVERY / source.fps))
    animation.frames, animation.durations = pictures, durations
    cv2.imwriteanimation(str(TARGET), animation, [cv2.IMWRITE_WEBP_QUALITY, QUALITY])
    print(f"{TARGET.name}: {len(pictures)} frames, {TARGET.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
