"""Track a target in each of many videos: a list NAME.mp4,x,y,w,h a line in, a CSV of boxes beside each video out.

python examples/batch_of_videos.py list.csv
"""

import csv
import sys
from pathlib import Path

from eatrack_edge import EATrackError, RunInfo, Tracker, open_output, open_source
from eatrack_edge.session.session import track


def main(list_file: str) -> dict[str, str]:
    outcome = {}
    with Path(list_file).open(encoding="utf-8") as lines, Tracker() as tracker:  # one tracker for all: loaded once
        for name, *box in csv.reader(lines):
            try:
                outcome[name] = one(tracker, Path(list_file).parent / name, tuple(float(side) for side in box))
            except EATrackError as error:  # one broken video spoils no other
                outcome[name] = error.message
            print(f"{name}: {outcome[name]}")
    return outcome


def one(tracker: Tracker, video: Path, box: tuple[float, ...]) -> str:
    x, y, w, h = box
    frames = 0
    with open_source(str(video)) as source:
        run = RunInfo(source.name, source.fps, overwrite=True)
        with open_output(video.with_suffix(".boxes.csv"), run) as output:
            for tracked in track(tracker, source, (x, y, w, h)):
                output.write(tracked.record)
                frames += 1
    return f"{frames} frames"


if __name__ == "__main__":
    main(sys.argv[1])
