"""The ROS 2 node: its parts without ROS everywhere, and the node itself where rclpy is installed."""

from __future__ import annotations

import ast
import importlib
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from eatrack_edge.sources.feed import LiveFrame

FOLDER = Path(__file__).parents[2] / "examples" / "ros2"


@pytest.fixture(autouse=True)
def package(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(str(FOLDER))
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "eatrack_ros"]:
        del sys.modules[name]


def image(pixels: np.ndarray[Any, Any], encoding: str, padding: int = 0) -> SimpleNamespace:
    height, width = pixels.shape[:2]
    rows = pixels.reshape(height, -1)
    padded = np.pad(rows, ((0, 0), (0, padding)), constant_values=99)
    header = SimpleNamespace(stamp=SimpleNamespace(sec=3, nanosec=500_000_000), frame_id="camera")
    return SimpleNamespace(
        header=header, height=height, width=width, encoding=encoding, step=padded.shape[1], data=padded.tobytes()
    )


@pytest.mark.parametrize(
    ("encoding", "pixel"),
    [("bgr8", (1, 2, 3)), ("rgb8", (3, 2, 1)), ("bgra8", (1, 2, 3, 9)), ("rgba8", (3, 2, 1, 9))],
)
@pytest.mark.parametrize("padding", [0, 5])
def test_an_image_of_any_colour_order_becomes_bgr(encoding: str, pixel: tuple[int, ...], padding: int) -> None:
    images = importlib.import_module("eatrack_ros.images")
    frame = images.frame_of(image(np.full((4, 6, len(pixel)), pixel, np.uint8), encoding, padding))
    assert frame.shape == (4, 6, 3)
    assert (frame == (1, 2, 3)).all()


def test_gray_becomes_bgr_and_other_encodings_are_refused() -> None:
    images = importlib.import_module("eatrack_ros.images")
    assert (images.frame_of(image(np.full((2, 3), 7, np.uint8), "mono8")) == 7).all()
    with pytest.raises(ValueError, match="image has the encoding 16UC1, a frame is one of bgr8"):
        images.frame_of(image(np.zeros((2, 3), np.uint16), "16UC1"))


def test_the_newest_image_is_delivered_with_its_header_and_the_others_are_counted() -> None:
    newest = importlib.import_module("eatrack_ros.images").NewestImage()
    assert newest.next(0) is None
    for value in range(3):
        newest.put(image(np.full((2, 3, 3), value, np.uint8), "bgr8"))
    taken = newest.next(0)
    assert isinstance(taken, LiveFrame)
    assert (taken.index, taken.dropped, taken.pts_s, int(taken.frame[0, 0, 0])) == (2, 2, 3.5, 2)
    assert newest.headers[2].frame_id == "camera"


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.py")), ids=lambda path: path.name)
def test_each_file_compiles_and_says_what_it_is(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    compile(text, str(path), "exec")
    assert ast.get_docstring(ast.parse(text))


def test_the_readme_names_every_topic() -> None:
    calls = [
        node
        for node in ast.walk(ast.parse((FOLDER / "eatrack_ros" / "node.py").read_text()))
        if isinstance(node, ast.Call)
    ]
    topics = {
        argument.value
        for call in calls
        if isinstance(call.func, ast.Attribute) and call.func.attr in ("create_publisher", "create_subscription")
        for argument in call.args[1:2]
        if isinstance(argument, ast.Constant)
    }
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert topics == {"image", "select", "stop", "detections", "target", "state"}
    assert [topic for topic in topics if f"| `{topic}` |" not in readme] == []


@pytest.mark.filterwarnings("ignore")  # of the packages of ROS
def test_images_in_give_the_target_out(monkeypatch: pytest.MonkeyPatch) -> None:
    rclpy = pytest.importorskip("rclpy", reason="needs ROS 2")
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    geometry, sensor = importlib.import_module("geometry_msgs.msg"), importlib.import_module("sensor_msgs.msg")
    rclpy.init()
    node = importlib.import_module("eatrack_ros.node").TrackerNode()
    other = rclpy.create_node("other")
    executor = importlib.import_module("rclpy.executors").MultiThreadedExecutor()
    received: list[Any] = []
    other.create_subscription(geometry.PolygonStamped, "target", received.append, 10)
    qos = importlib.import_module("rclpy.qos").qos_profile_sensor_data
    images = other.create_publisher(sensor.Image, "image", qos)
    selections = other.create_publisher(sensor.RegionOfInterest, "select", 10)
    for one in (node, other):
        executor.add_node(one)
    spinning = threading.Thread(target=executor.spin)
    spinning.start()
    try:
        picture = np.random.default_rng(0).integers(0, 255, (240, 320, 3), dtype=np.uint8)
        message = sensor.Image(height=240, width=320, encoding="bgr8", step=960, data=picture.tobytes())
        message.header.frame_id = "drone"

        def until(is_it: Callable[[Any], bool]) -> Any:
            deadline = time.monotonic() + 30
            while time.monotonic() < deadline:
                images.publish(message)
                time.sleep(0.1)
                if found := [one for one in received if is_it(one)]:
                    return found[-1]
            raise AssertionError("it never came")

        assert until(lambda one: not one.polygon.points).header.frame_id == "drone"
        selections.publish(sensor.RegionOfInterest(x_offset=100, y_offset=80, width=40, height=30))
        corners = until(lambda one: bool(one.polygon.points)).polygon.points
        assert (corners[2].x - corners[0].x, corners[2].y - corners[0].y) != (0, 0)
    finally:
        executor.shutdown()
        spinning.join(5)
        node.destroy_node()
        other.destroy_node()
        rclpy.try_shutdown()
