"""Sends a stamped moving picture to a URL for a minute: usage: sender.py URL FORMAT CODEC KEY_INTERVAL."""

from __future__ import annotations

import sys
import time

import av
import numpy as np

CELL, BITS, FPS = 16, 32, 30


def main(url: str, form: str, codec: str, key_interval: str) -> None:
    container = av.open(url, "w", format=form)
    fast = {"tune": "zerolatency", "preset": "ultrafast", "repeat-headers": "1"}
    stream = container.add_stream(codec, rate=FPS, options=fast if codec == "libx264" else {})
    stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p" if codec != "mjpeg" else "yuvj420p"
    stream.codec_context.gop_size = int(key_interval)
    y, x = np.mgrid[0:360, 0:640]
    ground = (80 + ((x // 8) * 7 + (y // 8) * 13) % 60).astype(np.uint8)
    begin = time.monotonic()
    for number in range(60 * FPS):
        time.sleep(max(0.0, begin + number / FPS - time.monotonic()))
        picture = ground.copy()
        picture[180:240, (number * 2) % 580 : (number * 2) % 580 + 60] = 230
        stamp = int(time.monotonic() * 1000) & 0xFFFFFFFF
        for bit in range(BITS):
            picture[8 : 8 + CELL, bit * CELL : (bit + 1) * CELL] = 235 if stamp >> bit & 1 else 16
        frame = av.VideoFrame.from_ndarray(np.repeat(picture[..., None], 3, axis=2), format="bgr24")
        container.mux(stream.encode(frame))


main(*sys.argv[1:])
