"""Streams by the pipeline of a Jetson's encoder, on elements with its pads: usage: simulated_encoder.py PORT.

The encoder takes NVMM memory alone, as on a board. Prints what a pipeline without it fails of, then sends for a minute.
This proves spelling, order and caps, neither drivers nor speed.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

from eatrack_edge.core.errors import OutputError
from eatrack_edge.outputs.h264_encoders import encoders
from eatrack_edge.outputs.live_stream import StreamOptions, parse_address, plan_for
from eatrack_edge.outputs.packet_stream import pipeline
from eatrack_edge.outputs.pipeline_sender import PipelineSender
from eatrack_edge.sources.gst_runtime import has_element

sys.path.insert(0, str(Path(__file__).parents[1]))
from sources.simulated_elements import RAW, READ_WRITE, element

NV12 = "video/x-raw(memory:NVMM),format=(string)NV12"
element(
    "nvvidconv",
    "videoconvert name=first ! video/x-raw,format=NV12 ! featureswap name=last to=nvmm",
    sink=RAW,
    src=NV12,
)
element(
    "nvv4l2h264enc",
    "featureswap name=first to=raw ! videoconvert ! video/x-raw,format=I420 "
    "! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=15 ! h264parse name=last",
    sink=NV12,
    src="video/x-h264,stream-format=byte-stream,alignment=au",
    properties={
        "bitrate": (int, "", "", 0, 100_000_000, 4_000_000, READ_WRITE),
        "insert-sps-pps": (bool, "", "", False, READ_WRITE),
        "maxperf-enable": (bool, "", "", False, READ_WRITE),
        "idrinterval": (int, "", "", 0, 10_000, 256, READ_WRITE),
        "iframeinterval": (int, "", "", 0, 10_000, 30, READ_WRITE),
        "preset-level": (int, "", "", 0, 4, 1, READ_WRITE),
    },
)


def main() -> None:
    address = parse_address(f"rtp://127.0.0.1:{sys.argv[1]}")
    plan = plan_for((640, 360), StreamOptions(), is_hardware=True)
    encoder = encoders(has_element, lambda _: True)[0]
    assert encoder.element == "nvv4l2h264enc"
    launch = pipeline(address, encoder, plan)
    try:
        PipelineSender(launch.replace("(memory:NVMM)", ""), "pictures", "without NVMM")
        print("it runs without NVMM", flush=True)
    except OutputError as error:
        print(error.message, flush=True)
    sender = PipelineSender(launch, "pictures", address.uri)
    picture = np.full((360, 640, 3), (20, 200, 20), np.uint8)
    for _ in range(60 * 30):
        sender.send(picture)
        time.sleep(1 / 30)


main()
