"""Opens whatever the user named: a video, images, or the synthetic scene."""

from __future__ import annotations

from pathlib import Path

from eatrack_edge.core.errors import InputError
from eatrack_edge.sources.base import Source, SourceFrame
from eatrack_edge.sources.images import SUFFIXES, ImageSource, images_in, images_matching
from eatrack_edge.sources.synthetic import SyntheticSource
from eatrack_edge.sources.video import VideoSource

__all__ = ["Source", "SourceFrame", "open_source"]

_SUPPORTED = "a video file, file://, a folder of images, a quoted glob such as 'frames/*.jpg', or test://"


def open_source(uri: str, *, start: int = 0, image_fps: float = 30.0) -> Source:
    """Open a source of frames.

    Args:
        uri: A video file, a folder of images, a glob (``*``, ``?``, ``[...]``) of images, ``file://`` before
            any of these, or ``test://`` with ``?seed=&frames=&width=&height=&fps=`` for the synthetic scene.
        start: First frame to deliver, from 0; frames keep their own numbers and times.
        image_fps: Frames per second to count time by where the source is images.

    Raises:
        InputError: Nothing of the kind is there, it has no frames, or it ends before ``start``.
        MissingExtra: A video, and PyAV is not installed.
    """
    if start < 0:
        raise InputError(f"{uri}: cannot start at frame {start}: frames count from 0")
    scheme, separator, rest = uri.partition("://")
    if not separator:
        rest = uri
    elif scheme == "test":
        return SyntheticSource.from_uri(uri, start=start)
    elif scheme != "file":
        raise InputError(f"{uri}: sources of the kind `{scheme}://` are not supported", hint=f"give {_SUPPORTED}")
    if not rest:
        raise InputError("no source was named", hint=f"give {_SUPPORTED}")
    return _open_path(Path(rest).expanduser(), uri, start, image_fps)


def _open_path(path: Path, uri: str, start: int, image_fps: float) -> Source:
    if path.is_dir():
        images = images_in(path, uri)
        return ImageSource(images, name=path.resolve().name, uri=uri, start=start, fps=image_fps)
    if path.exists():
        if path.suffix.lower() in SUFFIXES:
            return ImageSource([path], name=path.stem, uri=uri, start=start, fps=image_fps)
        return VideoSource(path, uri=uri, start=start)
    if any(character in uri for character in "*?["):
        images = images_matching(str(path), uri)
        return ImageSource(images, name=images[0].resolve().parent.name, uri=uri, start=start, fps=image_fps)
    raise InputError(f"{uri}: no such file or folder", hint=f"give {_SUPPORTED}")
