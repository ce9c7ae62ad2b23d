"""Cameras and streams by GStreamer: ``gst://PIPELINE``, ``csi://0``, and the hardware decoders of a Jetson."""

from __future__ import annotations

import importlib
import threading
import time
from functools import partial
from typing import Any

import numpy as np

from eatrack_edge.core.crops import Frame
from eatrack_edge.core.errors import InputError, MachineError
from eatrack_edge.core.reasons import as_clause
from eatrack_edge.sources import gst_pipelines as pipelines
from eatrack_edge.sources.base import SourceOptions
from eatrack_edge.sources.gst_runtime import has_element, require_gst
from eatrack_edge.sources.latest import LiveSource
from eatrack_edge.sources.link import LinkError, LinkOpener, Picture
from eatrack_edge.sources.live_options import LiveOptions, flipped
from eatrack_edge.sources.live_uri import without_password

_PULL_NS = 100_000_000  # between two looks at the bus


class PipelineLink:
    """A running GStreamer pipeline that ends in an appsink of BGR.

    Args:
        pipeline: As ``gst-launch-1.0`` would take it, with the sink of ``gst_pipelines``.
        options: Timeouts and flip.

    Raises:
        LinkError: The camera or the server is not there now.
        InputError: The pipeline cannot be read.
        MachineError: An element is not installed.
        MissingExtra: GStreamer or its bindings are not installed.
    """

    def __init__(self, pipeline: str, options: LiveOptions) -> None:
        self._gst = require_gst()
        self._options = options
        self._interrupted = threading.Event()
        self._is_flipped = options.flip != "none" and not pipelines.is_flipped_by(pipeline)
        self.description = f"GStreamer: {without_password(pipeline)}"
        self.fps: float | None = None
        self._pipeline = _parsed(self._gst, pipeline)
        self._sink = self._pipeline.get_by_name(pipelines.SINK_NAME)
        self._bus = self._pipeline.get_bus()
        self._limit_s = time.monotonic() + options.open_timeout_s
        if self._pipeline.set_state(self._gst.State.PLAYING) == self._gst.StateChangeReturn.FAILURE:
            reason = self._failure() or "the pipeline does not start"
            self.close()
            raise LinkError(reason)

    def read(self) -> Picture:
        """The next picture.

        Raises:
            LinkError: The pipeline failed or ended, or gave no picture for too long.
        """
        while (sample := self._sink.try_pull_sample(_PULL_NS)) is None:
            # A missing sender is no error to GStreamer, so the timeout is ours.
            if reason := self._failure():
                raise LinkError(reason)
            if time.monotonic() > self._limit_s or self._interrupted.is_set():
                raise LinkError("no frame came in time")
        self._limit_s = time.monotonic() + self._options.read_timeout_s
        return Picture(self._captured_ns(sample), partial(self._frame, sample))

    def _captured_ns(self, sample: Any) -> int:
        """When the source stamped the buffer, on the clock of ``time.monotonic_ns``."""
        now, clock = time.monotonic_ns(), self._pipeline.get_clock()
        running = sample.get_segment().to_running_time(self._gst.Format.TIME, sample.get_buffer().pts)
        if clock is None or running == self._gst.CLOCK_TIME_NONE:
            return now
        age = clock.get_time() - self._pipeline.get_base_time() - running
        # A pipeline that is not live, or has its own idea of time, would claim frames of the future or of last year.
        return now - age if 0 <= age < 10_000_000_000 else now

    def _frame(self, sample: Any) -> Frame:
        structure, buffer = sample.get_caps().get_structure(0), sample.get_buffer()
        if structure.get_value("format") != "BGR":
            raise InputError(f"the pipeline gives {structure.get_value('format')}, a frame is BGR")
        width, height = structure.get_value("width"), structure.get_value("height")
        is_mapped, mapped = buffer.map(self._gst.MapFlags.READ)
        if not is_mapped:
            raise MachineError("GStreamer cannot map a frame into memory")
        try:
            rows = np.frombuffer(mapped.data, np.uint8).reshape(height, -1)  # rows end on a multiple of 4 bytes
            frame = rows[:, : 3 * width].reshape(height, width, 3).copy()
        finally:
            buffer.unmap(mapped)
        return flipped(frame, self._options.flip) if self._is_flipped else frame

    def _failure(self) -> str:
        """What the bus says of an end or an error; empty while all is well."""
        kinds = self._gst.MessageType
        message = self._bus.pop_filtered(kinds.ERROR | kinds.EOS)
        if message is None:
            return ""
        if message.type == kinds.EOS:
            return "the stream ended"
        error, _details = message.parse_error()
        text = str(error.message).strip().rstrip(".")
        return f"{message.src.get_name()}: {without_password(as_clause(text))}"

    def interrupt(self) -> None:
        """End a wait for a frame."""
        self._interrupted.set()

    def close(self) -> None:
        """Stop the pipeline, which closes its devices and sockets."""
        self._pipeline.set_state(self._gst.State.NULL)


def _parsed(gst: Any, pipeline: str) -> Any:
    try:
        parsed = gst.parse_launch(pipeline)
    except importlib.import_module("gi.repository.GLib").Error as error:
        text = str(error.message).strip()
        if error.matches(gst.ParseError.quark(), gst.ParseError.NO_SUCH_ELEMENT):
            name = text.rpartition('"')[0].rpartition('"')[2] or text
            raise MachineError(
                f"GStreamer has no element `{name}`",
                hint=f"gst-inspect-1.0 {name} shows whether it is there; on a Jetson it comes with JetPack",
            ) from None
        raise InputError(
            f"GStreamer cannot read the pipeline: {without_password(text)}",
            hint=f"it was: {without_password(pipeline)}",
        ) from None
    if parsed.get_by_name(pipelines.SINK_NAME) is None:
        raise InputError("the pipeline has no appsink", hint=f"it was: {without_password(pipeline)}")
    return parsed


def open_pipeline(uri: str, options: SourceOptions) -> LiveSource:
    """Open ``gst://PIPELINE``, such as ``gst://videotestsrc is-live=true``.

    Raises:
        MissingExtra: GStreamer or its bindings are not installed.
    """
    return _source(uri, pipelines.custom(uri.removeprefix("gst://")), options.live, name="gst")


def open_csi(uri: str, options: SourceOptions) -> LiveSource:
    """Open a Jetson's camera, ``csi://0``.

    Raises:
        InputError: The camera is not named by its number.
        MissingExtra: GStreamer or its bindings are not installed.
    """
    number = uri.removeprefix("csi://") or "0"
    if not number.isdecimal():
        raise InputError(f"{uri}: a CSI camera is named by its number", hint="for example: csi://0")
    return _source(uri, pipelines.csi(int(number), options.live), options.live, name=f"csi-{number}")


def _source(uri: str, pipeline: str, options: LiveOptions, *, name: str) -> LiveSource:
    return LiveSource(pipeline_opener(pipeline, options), name=name, uri=without_password(uri), options=options)


def pipeline_opener(pipeline: str, options: LiveOptions) -> LinkOpener:
    """Opens links by a pipeline.

    Raises:
        MissingExtra: GStreamer or its bindings are not installed.
    """
    require_gst()
    return lambda: PipelineLink(pipeline, options)


def is_chosen(options: LiveOptions, *hardware: str) -> bool:
    """Whether GStreamer reads a source that PyAV could read too: it was asked for, or has such a hardware element."""
    if options.reader == "auto":
        return any(has_element(name) for name in hardware)
    return options.reader == "gstreamer"
