"""Serves video by RTSP (``rtsp://:8554/eatrack``): viewers come and go, and each begins with a key frame."""

from __future__ import annotations

import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from eatrack_edge.core.crops import Frame
from eatrack_edge.core.errors import MachineError, MissingExtra, OutputError
from eatrack_edge.outputs.h264_encoders import Encoder, encoders, source
from eatrack_edge.outputs.live_stream import StreamAddress, StreamOptions, StreamPlan, StreamWay
from eatrack_edge.outputs.pipeline_sender import push
from eatrack_edge.sources.gst_runtime import has_element, require_gst, require_gst_library

_PACKAGES = (
    "sudo apt install python3-gi gir1.2-gst-plugins-base-1.0 gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-good "
    "gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly, and use a Python of the same version as the system's; "
    "or send packets: --stream rtp://HOST:5600"
)
_SOURCE = "pictures"
_TIDY_S = 2  # between two looks at what viewers have left behind
_KEPT_S = 5.0  # for which a connection that was closed is kept, see `RtspServer._keep`


def choose(address: StreamAddress, options: StreamOptions) -> Sequence[StreamWay]:
    """The encoders that an RTSP server of this machine can use.

    Raises:
        MachineError: GStreamer, its RTSP server or an H.264 encoder is missing.
    """
    if options.encoder == "pyav":
        raise MachineError(f"{address.uri}: PyAV cannot serve RTSP", hint="send packets: --stream rtp://HOST:5600")
    try:
        require_gst_library("GstRtspServer")
    except MissingExtra as error:
        raise MachineError(f"{address.uri}: GStreamer's RTSP server is not installed", hint=_PACKAGES) from error
    found = encoders(has_element) if has_element("rtph264pay") else []
    if not found:
        raise MachineError(f"{address.uri}: GStreamer has no H.264 encoder here", hint=_PACKAGES)
    return [
        StreamWay(f"GStreamer {encoder.element}", encoder.is_hardware, partial(RtspServer, address, encoder))
        for encoder in found
    ]


def pipeline(encoder: Encoder, plan: StreamPlan) -> str:
    """The pipeline that all viewers share; it runs while there is one."""
    return f"( {source(plan, _SOURCE)} ! {encoder.filled(plan)} ! rtph264pay name=pay0 pt=96 config-interval=-1 )"


class RtspServer:
    """An RTSP server in a thread of its own.

    Args:
        address: Host, port and path; an empty host serves on every address of this machine.
        encoder: Encodes once for all viewers.
        plan: What is encoded.

    Raises:
        OutputError: The port is taken, or the address is not this machine's.
        MissingExtra: gst-rtsp-server is not installed.
    """

    def __init__(self, address: StreamAddress, encoder: Encoder, plan: StreamPlan) -> None:
        library = require_gst_library("GstRtspServer")
        self._gst, self._glib = require_gst(), require_gst_library("GLib")
        self._remove = library.RTSPFilterResult.REMOVE
        self._sources: list[Any] = []  # the appsrc of each pipeline that runs: one, or two while one is ending
        self._closed: deque[tuple[float, Any]] = deque()  # connections, and when they were closed, the oldest first
        self._lock = threading.Lock()
        factory = library.RTSPMediaFactory.new()
        factory.set_launch(pipeline(encoder, plan))
        factory.set_shared(True)
        factory.set_latency(0)
        factory.connect("media-configure", _weakly(self._configure))
        self._server = library.RTSPServer.new()
        self._server.set_address(address.host or "0.0.0.0")
        self._server.set_service(str(address.port))
        self._server.get_mount_points().add_factory(address.path, factory)
        # Connections are not to be closed by another thread than the one that reads them: with 0 that is the server's.
        threads = library.RTSPThreadPool.new()
        threads.set_max_threads(0)
        self._server.set_thread_pool(threads)
        self._server.connect("client-connected", _weakly(self._watch))
        self._context = self._glib.MainContext.new()
        self._listener = self._server.attach(self._context)
        if not self._listener:
            raise OutputError(
                f"{address.uri}: cannot be served: port {address.port} is taken, or the address is not this machine's"
            )
        tidy = self._glib.timeout_source_new_seconds(_TIDY_S)
        tidy.set_callback(_weakly(self._tidy))
        tidy.attach(self._context)
        self._loop = self._glib.MainLoop.new(self._context, False)
        self._thread = threading.Thread(target=self._loop.run, name=f"rtsp {address.port}", daemon=True)
        self._thread.start()

    def send(self, picture: Frame) -> None:
        """Show a picture to whoever views; without a viewer nothing is encoded.

        Args:
            picture: Shape (H, W, 3), BGR, of the planned size.
        """
        with self._lock:
            sources = list(self._sources)
        for one in sources:
            push(self._gst, one, picture)

    def close(self) -> None:
        """End every viewer's session, and free the port."""
        end = self._glib.Idle()
        end.set_callback(lambda _: self._end())
        end.attach(self._context)
        self._thread.join(2.0)

    def _end(self) -> bool:
        """What ends the server, in its own thread."""
        listener = self._context.find_source_by_id(self._listener)
        if listener is not None:
            listener.destroy()
        self._server.client_filter(lambda _server, _client: self._remove)
        self._server.get_session_pool().filter(lambda _pool, _session: self._remove)
        self._loop.quit()
        return False  # once is enough

    def _configure(self, _factory: Any, media: Any) -> None:
        """A first viewer came: its pipeline is about to run."""
        one = media.get_element().get_child_by_name(_SOURCE)
        with self._lock:
            self._sources.append(one)
        media.connect("unprepared", _weakly(self._forget), one)

    def _forget(self, _media: Any, one: Any) -> None:
        with self._lock, suppress(ValueError):
            self._sources.remove(one)

    def _watch(self, _server: Any, client: Any) -> None:
        client.connect("closed", _weakly(self._keep))

    def _keep(self, client: Any) -> None:
        """Keep a connection for a while after its end.

        gst-rtsp-server closes one that cannot be sent to once more in a later turn of the loop, and does not hold it
        until then: a viewer that vanishes at the wrong moment would crash the process.
        """
        self._closed.append((time.monotonic(), client))

    def _tidy(self, *_: object) -> bool:
        """Drop connections that ended a while ago, and sessions of viewers that vanished without a word."""
        while self._closed and time.monotonic() - self._closed[0][0] > _KEPT_S:
            self._closed.popleft()
        self._server.get_session_pool().cleanup()
        return True


def _weakly(method: Callable[..., Any]) -> Callable[..., Any]:
    """What calls a method for as long as its object is there.

    Python does not see that an object is used no more when what holds its methods is held by a library of C.
    """
    reference = weakref.WeakMethod(method)

    def call(*arguments: Any) -> Any:
        found = reference()
        return found(*arguments) if found is not None else None

    return call
