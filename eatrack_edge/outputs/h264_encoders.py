"""H.264 encoders of GStreamer: which of them a machine has decides between hardware and software."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from eatrack_edge.outputs.live_stream import StreamPlan

Has = Callable[[str], bool]
"""Whether GStreamer knows an element of this name."""


class Encoder(NamedTuple):
    """An encoder as part of a pipeline: I420 in system memory goes in, H.264 comes out."""

    element: str
    pipeline: str  # with {bps}, {kbps} and {interval}, pictures from one key frame to the next
    is_hardware: bool = True
    device: str = ""  # without which the element is there and does not work
    also: str = ""  # another element of the pipeline

    def filled(self, plan: StreamPlan) -> str:
        """The part of a pipeline for a plan."""
        kbps = plan.bitrate_kbps
        return self.pipeline.format(bps=1000 * kbps, kbps=kbps, interval=plan.key_interval)


# The best first. An Orin Nano has the element of the other Jetsons, and no encoder behind it.
_LADDER = (
    Encoder(
        "nvv4l2h264enc",
        "nvvidconv ! video/x-raw(memory:NVMM),format=NV12 ! nvv4l2h264enc bitrate={bps} insert-sps-pps=true "
        "maxperf-enable=true idrinterval={interval} iframeinterval={interval} preset-level=1",
        device="/dev/v4l2-nvenc",
        also="nvvidconv",
    ),
    Encoder("vah264enc", "vah264enc rate-control=cbr bitrate={kbps} key-int-max={interval} b-frames=0"),
    Encoder(
        "v4l2h264enc",
        'v4l2h264enc extra-controls="controls,video_bitrate={bps},h264_i_frame_period={interval},'
        'repeat_sequence_header=1" ! video/x-h264,level=(string)4',
    ),
    Encoder(
        "x264enc",
        "x264enc tune=zerolatency speed-preset=ultrafast bitrate={kbps} key-int-max={interval} threads=1",
        is_hardware=False,
    ),
    Encoder(
        "openh264enc", "openh264enc complexity=low bitrate={bps} gop-size={interval} ! h264parse", is_hardware=False
    ),
)


def encoders(has: Has, exists: Callable[[str], bool] = lambda path: Path(path).exists()) -> list[Encoder]:
    """The encoders of this machine, hardware first, then one of software; none without GStreamer.

    >>> [encoder.element for encoder in encoders(lambda name: name in ("x264enc", "openh264enc"))]
    ['x264enc']
    """
    found = [
        encoder
        for encoder in _LADDER
        if has(encoder.element)
        and (not encoder.also or has(encoder.also))
        and (not encoder.device or exists(encoder.device))
    ]
    hardware = [encoder for encoder in found if encoder.is_hardware]
    return hardware + [encoder for encoder in found if not encoder.is_hardware][:1]


def source(plan: StreamPlan, name: str) -> str:
    """The beginning of a pipeline: pictures are pushed into it, and one that the encoder has no time for is dropped."""
    width, height = plan.size
    caps = f"video/x-raw,format=BGR,width={width},height={height},framerate={max(1, round(plan.rate))}/1"
    return (
        f"appsrc name={name} is-live=true do-timestamp=true format=time caps={caps} "
        "! queue leaky=downstream max-size-buffers=1 max-size-bytes=0 max-size-time=0 "
        "! videoconvert ! video/x-raw,format=I420"
    )
