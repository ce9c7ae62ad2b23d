"""Decide yourself which crop becomes the second template: here the one with the highest confidence.

python examples/custom_template_policy.py
"""

from eatrack_edge import TemplateSettings, Tracker, TrackerSettings, open_source, register_template_policy
from eatrack_edge.tracking.templates import TemplateEvent

SOURCE = "test://?frames=60"


@register_template_policy("most_confident")
class MostConfident:
    """Has what `tracking.templates.TemplatePolicy` asks for."""

    def __init__(self, settings):
        self._settings, self._best = settings, None

    def start(self, first):
        self._best = None

    def wants(self, confidence):
        return confidence >= self._settings.minimum_confidence

    def add(self, target):
        if self._best is None or target.confidence > self._best.confidence:
            self._best = target

    def decide(self, frame_index):
        if frame_index % self._settings.interval or (best := self._best) is None:
            return None, None
        return best, TemplateEvent(frame_index, True, f"replaced by frame {best.frame_index}")


settings = TrackerSettings(templates=TemplateSettings(policy="most_confident", minimum_confidence=0.5))
with open_source(SOURCE) as source, Tracker(settings=settings) as tracker:
    for item in source:
        result = tracker.update(item.frame) if item.index else tracker.init(item.frame, item.truth)
        if result and result.template_event:
            print(f"frame {item.index}: {result.template_event.reason}")
