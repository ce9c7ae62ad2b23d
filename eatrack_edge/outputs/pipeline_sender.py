"""A running GStreamer pipeline that pictures are pushed into."""

from __future__ import annotations

from typing import Any

from eatrack_edge.core.crops import Frame
from eatrack_edge.core.errors import OutputError
from eatrack_edge.core.reasons import as_clause
from eatrack_edge.sources.gst_runtime import require_gst, require_gst_library

_WAITING = 2  # pictures that may wait in an appsrc


class PipelineSender:
    """Pushes pictures into a pipeline; the encoder and the network have GStreamer's own threads.

    Args:
        pipeline: As ``gst-launch-1.0`` would take it, with an appsrc.
        source: The name of the appsrc.
        name: For messages.

    Raises:
        OutputError: The pipeline cannot be made, or does not start.
        MissingExtra: GStreamer or its bindings are not installed.
    """

    def __init__(self, pipeline: str, source: str, name: str) -> None:
        self._gst = require_gst()
        self._name = name
        try:
            self._pipeline = self._gst.parse_launch(pipeline)
        except require_gst_library("GLib").Error as error:
            raise OutputError(f"{name}: cannot be sent: {error.message}") from None
        self._source = self._pipeline.get_by_name(source)
        self._bus = self._pipeline.get_bus()
        if self._pipeline.set_state(self._gst.State.PLAYING) == self._gst.StateChangeReturn.FAILURE:
            reason = self._failure() or "the pipeline does not start"
            self.close()
            raise OutputError(f"{name}: cannot be sent: {reason}")

    def send(self, picture: Frame) -> None:
        """Hand over a picture without waiting.

        Args:
            picture: Shape (H, W, 3), BGR, of the pipeline's size; its rows are a multiple of 4 bytes.

        Raises:
            OutputError: The pipeline failed.
        """
        if reason := self._failure():
            raise OutputError(f"{self._name}: cannot be sent: {reason}")
        push(self._gst, self._source, picture)

    def close(self) -> None:
        """Stop the pipeline."""
        self._pipeline.set_state(self._gst.State.NULL)

    def _failure(self) -> str:
        message = self._bus.pop_filtered(self._gst.MessageType.ERROR)
        if message is None:
            return ""
        error, _details = message.parse_error()
        text = str(error.message).strip().rstrip(".")
        return f"{message.src.get_name()}: {as_clause(text)}"


def push(gst: Any, source: Any, picture: Frame) -> None:
    """Give a copy of a picture to an appsrc; one that is stopping ignores it.

    One that is paused keeps what it was given before, so the picture is dropped while two wait.
    """
    if source.get_property("current-level-bytes") >= _WAITING * picture.nbytes:
        return
    source.emit("push-buffer", gst.Buffer.new_wrapped(picture.tobytes()))
