"""The target store: how the target looked lately, and which of it becomes the second template.

EATrack, section 3.3: frames with high confidence are stored; at a fixed interval one representative of them replaces
the second template. The paper leaves open what represents; here it is the medoid by cosine, the stored target most
like all others, so a single odd frame cannot win.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from eatrack_edge.core.reasons import beside_limit
from eatrack_edge.tracking.embedding import Embedding
from eatrack_edge.tracking.settings import TemplateSettings
from eatrack_edge.tracking.templates import StoredTarget, TemplateEvent


class TargetStore:
    """The template policy ``medoid``: a short memory of targets with high confidence."""

    def __init__(self, settings: TemplateSettings) -> None:
        self._settings = settings
        self._first: Embedding = np.zeros(0, np.float32)
        self._targets: deque[StoredTarget] = deque(maxlen=settings.capacity)

    def __len__(self) -> int:
        return len(self._targets)

    def start(self, first: Embedding) -> None:
        """Keep the first target's embedding, which every candidate has to resemble."""
        self._first = first

    def wants(self, confidence: float) -> bool:
        """Whether the confidence is high enough to store the frame's target."""
        return confidence >= self._settings.minimum_confidence

    def add(self, target: StoredTarget) -> None:
        """Keep a target; at capacity the oldest is dropped."""
        self._targets.append(target)

    def decide(self, frame_index: int) -> tuple[StoredTarget | None, TemplateEvent | None]:
        """At the end of an interval, choose the representative of the stored targets, and empty the store."""
        if frame_index % self._settings.interval:
            return None, None
        targets = list(self._targets)
        self._targets.clear()
        if not targets:
            needed = self._settings.minimum_confidence
            return None, TemplateEvent(frame_index, False, f"kept: no frame reached confidence {needed:g}")
        chosen = representative(targets)
        similarity = float(chosen.embedding @ self._first)
        is_similar = similarity >= self._settings.minimum_similarity
        if is_similar:
            reason = f"replaced by frame {chosen.frame_index}, the medoid of {len(targets)}"
        else:
            limit = self._settings.minimum_similarity
            compared = f"{beside_limit(similarity, limit)} < {limit:g}"
            reason = f"kept: frame {chosen.frame_index} is too unlike the first ({compared})"
        event = TemplateEvent(frame_index, is_similar, reason, chosen.frame_index, chosen.confidence, similarity)
        return (chosen if is_similar else None), event


def representative(targets: list[StoredTarget]) -> StoredTarget:
    """The medoid: the target with the highest total cosine to all; of equals, the one with the higher confidence."""
    embeddings = np.stack([target.embedding for target in targets])
    totals = (embeddings @ embeddings.T).sum(axis=1).round(5)
    return max(zip(totals, targets, strict=True), key=lambda pair: (pair[0], pair[1].confidence))[1]
