"""The frames of a benchmark: a video read in blocks, again from its start where it is too short."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from types import TracebackType

from eatrack_edge.core.boxes import Box
from eatrack_edge.core.crops import Frame
from eatrack_edge.core.errors import InputError, UsageError
from eatrack_edge.outputs.base import FrameRecord
from eatrack_edge.outputs.video import VideoOutput
from eatrack_edge.sources.base import Source
from eatrack_edge.sources.registry import open_source
from eatrack_edge.sources.video import VideoSource

DEFAULT_SOURCE = "test://?frames=40&width=1280&height=720"


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Frames that every tracker goes through in one turn.

    Attributes:
        frames: Shapes (H, W, 3), BGR.
        decode_ms: What reading each took.
        truth: True box of each; ``None`` where it is unknown.
        first: The frame to ``init`` on before this block; ``None`` while the pass goes on.
    """

    frames: list[Frame]
    decode_ms: list[float]
    truth: list[Box | None]
    first: Frame | None


class FrameBlocks:
    """Frames as they come from a video.

    The synthetic scene is drawn once into a temporary video, so that its frames are decoded as any others are.
    Decoding runs on one thread and between the trackers' turns, never beside them.

    Args:
        uri: As ``open_source`` takes it.
        box: The target in the first frame; may be left out where the source knows it.

    Raises:
        InputError: There is nothing of the kind, or it has fewer than two frames.
        UsageError: There is no box.
        MissingExtra: A video, and PyAV is not installed.
    """

    def __init__(self, uri: str, box: Box | None = None) -> None:
        self.uri = uri
        self._held = ExitStack()
        source = self._held.enter_context(open_source(uri))
        if box is None and source.truth is None:
            raise UsageError("there is no target", hint="say where it is in the first frame: --box x,y,w,h")
        self._truth = None if source.truth is None else [_box(row) for row in source.truth.tolist()]
        self.box: Box = box or (self._truth or [(0.0, 0.0, 0.0, 0.0)])[0]
        self.size = source.size
        self.fps = source.fps
        self.note = ""
        self._source: Source = source
        if uri.startswith("test://"):
            self.note = "the synthetic scene, drawn once into a temporary H.264 video"
            self._source = self._held.enter_context(self._recorded(source))
        elif isinstance(source, VideoSource):
            path = Path(uri.removeprefix("file://")).expanduser()
            self._source = self._held.enter_context(VideoSource(path, uri=uri, is_threaded=False))
        self.frames_read = 0

    def blocks(self, size: int) -> Iterator[Block]:
        """Blocks of up to ``size`` frames, without end.

        Raises:
            InputError: The source has fewer than two frames.
        """
        while True:
            first: Frame | None = None
            gathered: list[tuple[Frame, float, Box | None]] = []
            count = 0
            start = perf_counter()
            for item in self._source:
                took = 1000 * (perf_counter() - start)
                count += 1
                if count == 1:
                    first = item.frame
                else:
                    truth = self._truth[item.index] if self._truth and item.index < len(self._truth) else None
                    gathered.append((item.frame, took, truth))
                if len(gathered) == size:
                    yield _block(gathered, first)
                    first, gathered = None, []
                start = perf_counter()
            self.frames_read = max(self.frames_read, count)
            if count < 2:
                raise InputError(f"{self.uri}: a benchmark needs at least two frames, got {count}")
            if gathered:
                yield _block(gathered, first)

    def _recorded(self, scene: Source) -> Source:
        folder = Path(self._held.enter_context(TemporaryDirectory(prefix="eatrack-edge-bench-")))
        with VideoOutput(folder / "scene.mp4", scene.fps) as video:
            for item in scene:
                video.write(FrameRecord(item.index, item.pts_s, None, 0.0), item.frame)
        return VideoSource(folder / "scene.mp4", uri=self.uri, is_threaded=False)

    def __enter__(self) -> FrameBlocks:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._held.close()


def _block(gathered: list[tuple[Frame, float, Box | None]], first: Frame | None) -> Block:
    frames, decode_ms, truth = (list(column) for column in zip(*gathered, strict=True))
    return Block(frames, decode_ms, truth, first)


def _box(row: list[float]) -> Box:
    x, y, w, h = row
    return x, y, w, h
