"""Export a checkpoint to ONNX, and verify that the graphs track as the bundled ones do. Needs the extra `export`.

python examples/export_and_verify.py checkpoint.safetensors eatrack_s graphs
"""

import sys
from pathlib import Path

import numpy as np

from eatrack_edge import Tracker, open_source
from eatrack_edge.core.boxes import iou
from eatrack_edge.export import recipe, write

SOURCE = "test://?frames=30"


def boxes(model: str | Path) -> np.ndarray:
    """The boxes of a model on the bundled scene, shape (N, 4)."""
    found = []
    with open_source(SOURCE) as source, Tracker(model, backend="onnxruntime") as tracker:
        for item in source:
            if item.index == 0:
                tracker.init(item.frame, item.truth)
            else:
                found.append(tracker.update(item.frame).box)
    return np.array(found, np.float32)


def main(checkpoint: str, model: str, folder: str) -> float:
    exported = write.export(recipe.plan(checkpoint, model=model), Path(folder))
    for output, difference in exported.differences.items():
        print(f"{output:<22} largest difference between PyTorch and ONNX Runtime {difference:.1e}")
    overlap = float(iou(boxes(Path(folder)), boxes("eatrack_s")).mean())
    print(f"mean overlap with the bundled model's boxes {overlap:.3f}")
    return overlap


if __name__ == "__main__":
    main(*sys.argv[1:4])
