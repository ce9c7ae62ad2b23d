"""The node: images in, detections out.

ros2 run eatrack_ros tracker --ros-args -r image:=/camera/image_raw
"""

from __future__ import annotations

import threading
from typing import Any

import rclpy
from geometry_msgs.msg import Point32, PolygonStamped
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, qos_profile_sensor_data
from sensor_msgs.msg import Image, RegionOfInterest
from std_msgs.msg import Empty, String

from eatrack_edge import Tracker
from eatrack_edge.session.commands import Quit, Select, Stop
from eatrack_edge.session.events import Event, FrameEvent, OutputFailedEvent, SelectionEvent, StateEvent
from eatrack_edge.session.live import LiveSession
from eatrack_edge.session.output_thread import OutputThread
from eatrack_ros.images import NewestImage

try:
    from vision_msgs.msg import BoundingBox2D, Detection2D, Detection2DArray, ObjectHypothesisWithPose
except ImportError:  # then `target` alone is published
    Detection2DArray = None


class TrackerNode(Node):
    """Runs a session in a thread of its own; the callbacks of ROS only hand things over."""

    def __init__(self) -> None:
        super().__init__("eatrack")
        model, backend, threads = (
            self.declare_parameter(name, default).value
            for name, default in (("model", "eatrack_s"), ("backend", "auto"), ("threads", 1))
        )
        self._images = NewestImage()
        self._tracker = Tracker(model, backend=backend, threads=threads)
        self._session = LiveSession(self._tracker, self._images, history=1)
        self._target = self.create_publisher(PolygonStamped, "target", 10)
        self._detections = self.create_publisher(Detection2DArray, "detections", 10) if Detection2DArray else None
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self._state = self.create_publisher(String, "state", latched)
        self._output = OutputThread(self, "topics", self._session.reports.put)
        self._session.listeners.append(self._output)
        self.create_subscription(Image, "image", self._images.put, qos_profile_sensor_data)
        self.create_subscription(RegionOfInterest, "select", self._select, 10)
        self.create_subscription(Empty, "stop", lambda _: self._session.commands.put(Stop()), 10)
        self._thread = threading.Thread(target=self._session.run, name="session")
        self._thread.start()

    def _select(self, region: RegionOfInterest) -> None:
        box = float(region.x_offset), float(region.y_offset), float(region.width), float(region.height)
        self._session.commands.put(Select(box))

    def take(self, event: Event) -> None:
        """Publish an event; called by the output's thread."""
        if isinstance(event, FrameEvent):
            self._publish(event, self._images.headers[event.record.frame])
        elif isinstance(event, StateEvent):
            self._state.publish(String(data=event.state))
        elif isinstance(event, SelectionEvent) and event.is_refused:
            self.get_logger().warning(f"selection refused: {event.reason}")
        elif isinstance(event, OutputFailedEvent):
            self.get_logger().error(f"{event.output}: {event.reason}")

    def _publish(self, event: FrameEvent, header: Any) -> None:
        record, polygon = event.record, PolygonStamped(header=header)
        if record.box is not None:
            x, y, w, h = (float(side) for side in record.box)
            corners = ((x, y), (x + w, y), (x + w, y + h), (x, y + h))
            polygon.polygon.points = [Point32(x=left, y=top) for left, top in corners]
        self._target.publish(polygon)
        if self._detections is None:
            return
        found = Detection2DArray(header=header)
        if record.box is not None:
            result = ObjectHypothesisWithPose()
            result.hypothesis.class_id, result.hypothesis.score = "target", float(record.confidence)
            box = BoundingBox2D(size_x=w, size_y=h)
            box.center.position.x, box.center.position.y = x + w / 2, y + h / 2
            found.detections = [Detection2D(header=header, results=[result], bbox=box, id="1")]
        self._detections.publish(found)

    def finish(self, error: BaseException | None) -> None:
        """Nothing to close: ROS owns the publishers."""

    def destroy_node(self) -> None:
        """End the session, then the node."""
        self._session.commands.put(Quit())
        self._thread.join(5)
        self._output.close()
        self._tracker.close()
        super().destroy_node()


def main() -> None:
    """Spin until Ctrl-C."""
    rclpy.init()
    node = TrackerNode()
    try:
        rclpy.spin(node)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    finally:
        node.destroy_node()
        rclpy.try_shutdown()


if __name__ == "__main__":
    main()
