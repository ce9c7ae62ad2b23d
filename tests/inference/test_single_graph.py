from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from eatrack_edge.core.errors import InputError, MissingExtra
from eatrack_edge.core.io import sha256
from eatrack_edge.core.resources import bundled
from eatrack_edge.inference.single_graph import open_graph
from eatrack_edge.inference.vittrack_network import OUTPUTS


def vittrack() -> Path:
    path = bundled("vittrack_2023sep.onnx")
    assert path is not None
    return path


def test_the_packaged_graph_is_the_published_one() -> None:
    # The SHA-256 in OpenCV Zoo's pointer to the file.
    assert sha256(vittrack()) == "2990f0b7cd44d92afa48cd97db6de7be113fc1d9594fddb74e2725c10478e91d"


@pytest.mark.parametrize("beside", ["openvino", "opencv"])
def test_every_package_gives_what_onnx_runtime_gives(beside: str) -> None:
    rng = np.random.default_rng(0)
    inputs = {
        "template": rng.normal(size=(1, 3, 128, 128)).astype(np.float32),
        "search": rng.normal(size=(1, 3, 256, 256)).astype(np.float32),
    }
    reference = open_graph(vittrack(), OUTPUTS, beside="onnxruntime")
    tested = open_graph(vittrack(), OUTPUTS, beside=beside)
    assert (reference.package, tested.package) == ("onnxruntime", beside)
    wanted = {name: array.copy() for name, array in reference.run(inputs).items()}
    for _ in range(2):  # the second time with memory that the first has written
        found = tested.run(inputs)
        for name in OUTPUTS:
            np.testing.assert_allclose(found[name], wanted[name], atol=2e-4, err_msg=name)


@pytest.mark.parametrize(
    ("beside", "missing", "expected"),
    [
        pytest.param("tensorrt", (), "openvino", id="beside TensorRT, the fastest on the processor"),
        pytest.param("openvino", ("openvino",), "onnxruntime", id="OpenVINO is missing"),
        pytest.param("tensorrt", ("openvino", "onnxruntime"), "opencv", id="a Jetson: OpenCV alone"),
    ],
)
def test_the_first_package_that_is_installed_runs_it(
    monkeypatch: pytest.MonkeyPatch, beside: str, missing: tuple[str, ...], expected: str
) -> None:
    for package in missing:
        monkeypatch.setitem(sys.modules, package, None)
    assert open_graph(vittrack(), OUTPUTS, beside=beside).package == expected


def test_a_file_that_is_no_graph_is_refused(tmp_path: Path) -> None:
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"no graph")
    with pytest.raises(InputError, match=r"broken\.onnx: onnxruntime cannot load it: "):
        open_graph(broken, OUTPUTS, beside="onnxruntime")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such graph"):
        open_graph(tmp_path / "none.onnx", OUTPUTS, beside="onnxruntime")


def test_without_any_package_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("openvino", "onnxruntime", "cv2"):
        monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtra) as caught:
        open_graph(vittrack(), OUTPUTS, beside="openvino")
    assert str(caught.value) == (
        "cannot run vittrack_2023sep.onnx: none of openvino, onnxruntime, opencv is installed\n"
        "hint: pip install opencv-python-headless"
    )
