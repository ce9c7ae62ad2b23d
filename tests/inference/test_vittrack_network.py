from __future__ import annotations

import cv2
import numpy as np
import pytest

from eatrack_edge.core.resources import bundled
from eatrack_edge.inference.single_graph import Arrays, open_graph
from eatrack_edge.inference.vittrack_network import OUTPUTS, VitTrackNetwork


def scene(x: float, y: float) -> np.ndarray:
    """A textured target of 60 x 40 pixels on a textured ground, its top left corner at (x, y)."""
    rng = np.random.default_rng(0)
    frame = cv2.resize(rng.integers(60, 120, (24, 32, 3), dtype=np.uint8), (640, 480), interpolation=cv2.INTER_CUBIC)
    target = cv2.resize(rng.integers(0, 255, (4, 6, 3), dtype=np.uint8), (60, 40), interpolation=cv2.INTER_NEAREST)
    frame[int(y) : int(y) + 40, int(x) : int(x) + 60] = target
    return frame


def test_the_network_sees_rgb_normalised_as_imagenet() -> None:
    seen: dict[str, np.ndarray] = {}

    def run(inputs: Arrays) -> Arrays:
        seen.update(inputs)
        return {name: np.zeros((1, 1 if name == "output1" else 2, 16, 16), np.float32) for name in OUTPUTS}

    network = VitTrackNetwork(run)
    frame = scene(300, 200)
    network.show_box(frame, (268.0, 188.0, 64.0, 64.0))
    network.find(frame, (268.0, 188.0, 64.0, 64.0))
    # OpenCV's own preparation of the same squares: 2 sides at one pixel each, and 4 sides.
    for name, crop in (("template", frame[156:284, 236:364]), ("search", frame[92:348, 172:428])):
        blob = cv2.dnn.blobFromImage(crop, 1 / 255, mean=(123.675, 116.28, 103.53), swapRB=True)
        expected = blob / np.array([0.229, 0.224, 0.225], np.float32)[None, :, None, None]
        np.testing.assert_allclose(seen[name], expected, atol=1e-4, err_msg=name)


@pytest.mark.parametrize("beside", ["onnxruntime", "openvino", "opencv"])
def test_a_target_that_moved_is_found_with_its_size(beside: str) -> None:
    path = bundled("vittrack_2023sep.onnx")
    assert path is not None
    network = VitTrackNetwork(open_graph(path, OUTPUTS, beside=beside).run)
    network.show_box(scene(300, 200), (300.0, 200.0, 60.0, 40.0))
    found = network.find(scene(310, 206), (296.0, 196.0, 68.0, 48.0))
    assert found.score > 0.5
    assert found.box == pytest.approx((310.0, 206.0, 60.0, 40.0), abs=4)
