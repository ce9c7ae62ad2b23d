"""Run the graphs on a backend of your own: here one that logs what each inference took.

python examples/custom_backend.py
"""

import numpy as np

from eatrack_edge import Tracker, open_source, register_backend
from eatrack_edge.inference.registry import open_backend

SOURCE = "test://?frames=10"


class TimedBackend:
    """Has what `inference.backend.Backend` asks for, and hands the work to ONNX Runtime."""

    def __init__(self, model, threads):
        self._inner = inner = open_backend(model, "onnxruntime", threads)
        self.name, self.model_spec, self.note = f"timed {inner.name}", inner.model_spec, inner.note
        self.encode_template, self.close, self.milliseconds = inner.encode_template, inner.close, []

    def infer(self, search):
        maps = self._inner.infer(search)
        self.timing_ms = self._inner.timing_ms
        self.milliseconds.append(self.timing_ms.run)
        return maps


def main() -> list[float]:
    register_backend("timed")(TimedBackend)
    with open_source(SOURCE) as source, Tracker(backend="timed") as tracker:
        for item in source:
            tracker.update(item.frame) if item.index else tracker.init(item.frame, item.truth)
        taken = tracker.backend.milliseconds
    print(f"{len(taken)} inferences, median {np.median(taken):.1f} ms")
    return taken


if __name__ == "__main__":
    main()
