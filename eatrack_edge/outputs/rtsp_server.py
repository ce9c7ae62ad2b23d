"""Serves video by RTSP (``rtsp://:8554/eatrack``): viewers come and go, and each begins with a key frame."""

from __future__ import annotations

import threading
from collections.abc import Sequence
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
        self._lock = threading.Lock()
        factory = library.RTSPMediaFactory.new()
        factory.set_launch(pipeline(encoder, plan))
        factory.set_shared(True)
        factory.set_latency(0)
        factory.connect("media-configure", self._configure)
        self._server = library.RTSPServer.new()
        self._server.set_address(address.host or "0.0.0.0")
        self._server.set_service(str(address.port))
        self._server.get_mount_points().add_factory(address.path, factory)
        # Connections are not to be closed by another thread than the one that reads them: with 0 that is the server's.
        threads = library.RTSPThreadPool.new()
        threads.set_max_threads(0)
        self._server.set_thread_pool(threads)
        self._context = self._glib.MainContext.new()
        self._listener = self._server.attach(self._context)
        if not self._listener:
            raise OutputError(
                f"{address.uri}: cannot be served: port {address.port} is taken, or the address is not this machine's"
            )
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
        media.connect("unprepared", lambda _media: self._forget(one))

    def _forget(self, one: Any) -> None:
        with self._lock, suppress(ValueError):
            self._sources.remove(one)
