"""Sources on disk: a path is a video, an image, a folder of images, or a glob of images."""

from __future__ import annotations

from pathlib import Path

from eatrack_edge.core.errors import InputError
from eatrack_edge.sources.base import Source, SourceOptions
from eatrack_edge.sources.images import SUFFIXES, ImageSource, images_in, images_matching
from eatrack_edge.sources.video import VideoSource

_GIVE = "give a video file, file://, a folder of images, a quoted glob such as 'frames/*.jpg', or test://"


def open_files(uri: str, options: SourceOptions) -> Source:
    """Open a path, with or without ``file://`` before it.

    Raises:
        InputError: Nothing of the kind exists, it has no frames, or it ends before the first frame to deliver.
        MissingExtra: A video, and PyAV is not installed.
    """
    text = uri.removeprefix("file://")
    if not text:
        raise InputError("no source was named", hint=_GIVE)
    path, start, fps = Path(text).expanduser(), options.start, options.image_fps
    if path.is_dir():
        images = images_in(path, uri)
        return ImageSource(images, name=path.resolve().name, uri=uri, start=start, fps=fps)
    if path.exists():
        if path.suffix.lower() in SUFFIXES:
            return ImageSource([path], name=path.stem, uri=uri, start=start, fps=fps)
        return VideoSource(path, uri=uri, start=start)
    if any(character in uri for character in "*?["):
        images = images_matching(str(path), uri)
        return ImageSource(images, name=images[0].resolve().parent.name, uri=uri, start=start, fps=fps)
    raise InputError(f"{uri}: no such file or folder", hint=_GIVE)
