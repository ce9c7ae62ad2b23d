"""Small videos and pictures that the media tests make."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

WIDTH, HEIGHT = 64, 48


def picture(number: int) -> np.ndarray:
    """A frame with a white upper left corner, and its number in five dark or grey stripes along the lower edge."""
    frame = np.full((HEIGHT, WIDTH, 3), 60, np.uint8)
    frame[: HEIGHT // 2, : WIDTH // 2] = 255
    for bit in range(5):
        frame[HEIGHT // 2 :, 12 * bit : 12 * bit + 12] = 140 if number >> bit & 1 else 20
    return frame


def number_of(frame: np.ndarray) -> int:
    return sum(int(frame[36, 12 * bit + 6, 1] > 80) << bit for bit in range(5))


def write_video(path: Path, times: Sequence[float], **options: str) -> Path:
    # The index goes to the front, where a copy that was cut off still has it.
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.options = {"crf": "12", **options}
        tick = Fraction(1, 30 if path.suffix == ".avi" else 1000)  # AVI has no times but the numbers of its frames
        stream.codec_context.time_base = tick
        container.start_encoding()
        for number, time in enumerate(times):
            frame = av.VideoFrame.from_ndarray(picture(number), format="bgr24")
            frame.pts, frame.time_base = round(time / tick), tick
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def turn_video(path: Path, matrix: Sequence[int]) -> Path:
    """Set the display matrix (a, b, c, d) in the track header of an MP4, as phones do."""
    content = bytearray(path.read_bytes())
    at = content.find(b"tkhd") + 4 + 40
    a, b, c, d = (value << 16 for value in matrix)
    content[at : at + 36] = np.array([a, b, 0, c, d, 0, 0, 0, 1 << 30], ">i4").tobytes()
    path.write_bytes(content)
    return path


def packet_spans(path: Path) -> list[tuple[int, int]]:
    """Where the data of each packet of a video lies in its file, in stored order: place and length in bytes."""
    content, spans, end = path.read_bytes(), [], 0
    with av.open(str(path)) as container:
        for packet in container.demux(video=0):
            if packet.size:
                at = content.index(bytes(packet), end)
                spans.append((at, packet.size))
                end = at + packet.size
    return spans


def damage(path: Path, *numbers: int) -> Path:
    """Overwrite some stored frames with noise."""
    content = bytearray(path.read_bytes())
    for at, size in (packet_spans(path)[number] for number in numbers):
        content[at : at + size] = b"\xff" * size
    path.write_bytes(content)
    return path


def copied(source: Path, target: Path, **options: str) -> Path:
    """The same frames in another kind of file, not encoded anew."""
    with av.open(str(source)) as container, av.open(str(target), "w", options=options) as output:
        stream = output.add_stream_from_template(container.streams.video[0])
        for packet in container.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                output.mux(packet)
    return target
