"""Sources on disk: a path is a video, an image, a folder of images, or a glob of images."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from urllib.parse import unquote_to_bytes

from eatrack_edge.core.errors import InputError
from eatrack_edge.sources.base import Source, SourceOptions
from eatrack_edge.sources.images import SUFFIXES, ImageSource, images_in, images_matching
from eatrack_edge.sources.picture_stack import open_stack
from eatrack_edge.sources.video import VideoSource

_GIVE = "give a video file, file://, a folder of images, a quoted glob such as 'frames/*.jpg', or test://"


def open_files(uri: str, options: SourceOptions) -> Source:
    """Open a path, with or without ``file://`` before it.

    Raises:
        InputError: Nothing of the kind exists, it has no frames, or it ends before the first frame to deliver.
        UsageError: A range of values is given, and the pictures have 8 bits.
        MissingExtra: A video, and PyAV is not installed.
    """
    path = _path_of(uri)

    def of_several(images: list[Path], name: str) -> ImageSource:
        if open_stack(images[0], uri, SourceOptions()) is not None:
            raise InputError(
                f"{uri}: `{images[0].name}` holds several pictures, and is not a frame",
                hint=f"name the file itself: {shlex.quote(str(images[0]))}",
            )
        return of_images(images, name)

    def of_images(images: list[Path], name: str) -> ImageSource:
        start, fps, value_range = options.start, options.image_fps, options.value_range
        return ImageSource(images, name=name, uri=uri, start=start, fps=fps, value_range=value_range)

    if path.is_dir():
        return of_several(images_in(path, uri), path.resolve().name)
    if path.exists():
        if path.suffix.lower() in SUFFIXES:
            return open_stack(path, uri, options) or of_images([path], path.stem)
        return VideoSource(path, uri=uri, start=options.start, value_range=options.value_range)
    if any(character in uri for character in "*?["):
        images = images_matching(str(path), uri)
        return of_several(images, images[0].resolve().parent.name)
    raise InputError(f"{uri}: no such file or folder", hint=_GIVE)


def exists_as_file(uri: str) -> bool:
    """Whether a source is the name of a file, also where it reads like an address: ``12:30://a.mp4``."""
    try:
        return bool(uri) and Path(uri).exists()
    except (OSError, ValueError):  # longer than a name may be, or with a zero byte
        return False


def _path_of(uri: str) -> Path:
    """The path that is meant: as it is written, if there is such a file; otherwise unquoted, or in the home folder."""
    if exists_as_file(uri):
        return Path(uri)
    text = uri.removeprefix("file://")
    if not text:
        raise InputError("no source was named", hint=_GIVE)
    if exists_as_file(text):
        return Path(text)
    if text != uri:
        unquoted = os.fsdecode(unquote_to_bytes(text.removeprefix("localhost").encode("utf-8", "surrogateescape")))
        if exists_as_file(unquoted):
            return Path(unquoted)
    try:
        path = Path(text).expanduser()
        path.exists()
    except (OSError, ValueError, RuntimeError) as error:
        # A name that is too long, holds a zero byte, or begins with the name of no user.
        raise InputError(f"{uri[:200]}: no such file or folder", hint=_GIVE) from error
    return path
