"""Evaluate a tracker of yours beside ours, on a folder of NAME.mp4 with NAME.txt (true boxes, x,y,w,h a line).

python examples/evaluate_your_own.py clips
"""

import sys
from pathlib import Path

import cv2

from eatrack_edge import register_baseline
from eatrack_edge.datasets.registry import open_dataset
from eatrack_edge.evaluation.baselines.base import Baseline, BaselineResult
from eatrack_edge.evaluation.evaluate import Plan, evaluate
from eatrack_edge.evaluation.protocol import protocol
from eatrack_edge.evaluation.trackers import TrackerSpec


class TemplateMatching:
    """Looks for the first frame's target in the whole frame; its size never changes."""

    def init(self, frame, box):
        x, y, *self._size = (round(side) for side in box)
        self._target = frame[y : y + self._size[1], x : x + self._size[0]]

    def update(self, frame):
        _, score, _, (x, y) = cv2.minMaxLoc(cv2.matchTemplate(frame, self._target, cv2.TM_CCOEFF_NORMED))
        return BaselineResult((x, y, *self._size), score)


def main(folder: str, work: str = "runs/own") -> dict[str, float]:
    register_baseline("template_matching")(Baseline(lambda weight_files, threads: TemplateMatching()))
    trackers, rules = (TrackerSpec("eatrack"), TrackerSpec("template_matching")), protocol("otb")
    result = evaluate(Plan(open_dataset("videos", Path(folder)), trackers, rules, Path(work)))
    return {name: tracks.score(rules).success_auc for name, tracks in result.trackers.items()}


if __name__ == "__main__":
    print("success AUC:", main(sys.argv[1]))
