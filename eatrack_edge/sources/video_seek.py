"""Reading a video from a later frame on, by way of a key frame before it where the file allows."""

from __future__ import annotations

import bisect
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from eatrack_edge.core.imports import require
from eatrack_edge.sources.frame_times import Timeline
from eatrack_edge.sources.video_decoding import DamageError, Decoding, demuxed
from eatrack_edge.sources.video_file import opened, timeline_of

# Of these, a packet is a frame. Others hide frames or pack two into one, so packets cannot be counted.
_COUNTABLE = frozenset({"h264", "hevc", "av1", "vp9", "mjpeg", "prores", "dnxhd", "ffv1", "png"})


class _Damage(Timeline):
    """Notes only whether there was damage."""

    is_sound = True

    def damaged(self) -> None:
        self.is_sound = False


@contextmanager
def decoding_from(path: Path, uri: str, threads: str, fps: float, start: int) -> Iterator[Decoding]:
    """A pass over the video that begins at frame ``start`` or before it.

    Raises:
        InputError: The file cannot be opened any more.
    """
    with opened(path, uri, threads) as (container, stream):
        times = _times(container, stream, start) if start else []
        if start < len(times):
            container.seek(times[start], stream=stream)
            if (landed := _landed(container, stream)) is not None and landed <= times[start]:
                container.seek(times[start], stream=stream)
                index = bisect.bisect_left(times, landed)
                first = (index, (landed - times[0]) * float(stream.time_base))
                yield Decoding(path, container, stream, timeline_of(container, stream, fps, first))
                return
    with opened(path, uri, threads) as (container, stream):
        yield Decoding(path, container, stream, timeline_of(container, stream, fps))


def _landed(container: Any, stream: Any) -> int | None:
    """Time of the first frame that comes after a seek; ``None`` where it cannot be decoded, or not wholly."""
    try:
        picture = next(iter(container.decode(stream)), None)
    except require("av", to="read a video").error.FFmpegError:
        return None
    return None if picture is None or picture.is_corrupt else picture.pts


def _times(container: Any, stream: Any, start: int) -> list[int]:
    """Times of all frames, sorted, from the packets alone; empty where they do not give each frame its number."""
    is_indexed = any(name in container.format.name for name in ("mp4", "matroska"))
    if not is_indexed or stream.codec_context.codec.canonical_name not in _COUNTABLE:
        return []
    times: list[int] = []
    watch = _Damage(1.0, 1.0)
    try:
        for packet in demuxed(container, watch):
            if packet.stream.index != stream.index or not packet.size or packet.is_discard:
                continue
            if packet.pts is None or packet.is_corrupt:
                # In a file that was cut off the frames before the end can still be found.
                return sorted(times) if packet.is_corrupt and start < len(times) else []
            times.append(packet.pts)
    except DamageError:
        return []
    times.sort()
    is_sound = watch.is_sound and len(set(times)) == len(times)
    return times if is_sound else []
