"""What a file is that is no video, and whether a video file is whole: told from its bytes, before FFmpeg opens it."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import BinaryIO

_HEAD = 4096  # bytes looked at
_TEXT = frozenset(range(0x20, 0x7F)) | frozenset(b"\t\r\n\f\x1b") | frozenset(range(0x80, 0x100))
_MARKS = {
    b"\x00\x05\x16\x07": "Finder's notes of a Mac (AppleDouble); the video is the file without `._` before its name",
    b"PK\x03\x04": "a ZIP archive",
    b"\x1f\x8b": "a gzip archive",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"%PDF": "a PDF document",
    b"\x7fELF": "a program",
}
_TEXT_MARKS = {
    "version https://git-lfs": "a Git LFS pointer; `git lfs pull` fetches the video",
    "<!doctype html": "a web page",
    "<html": "a web page",
    "#extm3u": "a playlist that names other files",
    "ffconcat": "a playlist that names other files",
    "[playlist]": "a playlist that names other files",
    "v=0": "a description of a stream (SDP)",
}
_BOXES = frozenset(
    (
        b"ftyp",
        b"moov",
        b"mdat",
        b"free",
        b"skip",
        b"wide",
        b"styp",
        b"sidx",
        b"moof",
        b"mfra",
        b"uuid",
        b"meta",
        b"udta",
    )
)
_PACK, _TAIL = b"\0\0\1\xba", 1 << 18  # of an MPEG-PS; a pack and its packets are shorter
_ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
# FFmpeg draws these from text, from a few bytes, or from files that the file names.
NOT_VIDEO_FORMATS = {
    **dict.fromkeys(("tty", "bin", "xbin", "adf", "idf"), "a text file"),
    **dict.fromkeys(("concat", "hls", "dash", "imf"), "a playlist that names other files"),
    **dict.fromkeys(("sdp", "rtsp"), "a description of a stream (SDP)"),
    **dict.fromkeys(("lavfi", "image2", "ffmetadata"), "not a recording"),
}


def what_else(path: Path) -> str:
    """What a file is if it is clearly no video, in words; empty when it may be one.

    Raises:
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if not head:
        return "an empty file (0 bytes)"
    for mark, words in _MARKS.items():
        if head.startswith(mark):
            return words
    if head.startswith(b"YUV4MPEG2 "):
        return ""  # a raw video with a line of text before it
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or not set(head) - _TEXT:
        start = head.decode("utf-8-sig", errors="replace").lstrip().lower()
        return next((words for mark, words in _TEXT_MARKS.items() if start.startswith(mark)), "a text file")
    if not head.strip(b"\0"):
        return "a file of zeros, such as a download or a recording that was never finished"
    return ""


def is_unfinished_mp4(path: Path) -> bool:
    """Whether a file is an MP4 without its index (moov): a recording that was never finished."""
    with path.open("rb") as file:
        kinds = [kind for kind, _ in _boxes(file, path.stat().st_size)]
    return bool(kinds) and kinds[0] in (b"ftyp", b"mdat", b"wide") and b"moov" not in kinds


def is_whole(path: Path) -> bool | None:
    """Whether a video file is as long as its own structure says; ``None`` where that does not say."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(_HEAD)
        if head[:4] == b"RIFF":
            return _is_whole_riff(file, size)
        if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"styp"):
            ends = [end for _, end in _boxes(file, size)]
            return None if ends[-1] is None else ends[-1] <= size
        if head[:4] == b"\x1a\x45\xdf\xa3":
            return _is_whole_matroska(head, size)
        if head[:4] == b"GIF8":
            return _is_whole_gif(file)
        if head[:16] == _ASF_HEADER:
            return _is_whole_asf(file, size)
        if head[:4] == _PACK:
            return _is_whole_program_stream(file, size)
        return _is_whole_transport_stream(head, size)


def _boxes(file: BinaryIO, size: int) -> list[tuple[bytes, int | None]]:
    """Kind and end of the top-level boxes of an MP4; an end of ``None`` is wherever the file ends."""
    boxes: list[tuple[bytes, int | None]] = []
    at = 0
    while at + 8 <= size:
        file.seek(at)
        length, kind = struct.unpack(">I4s", file.read(8))
        if length == 1:
            wide = file.read(8)
            length = struct.unpack(">Q", wide)[0] if len(wide) == 8 else 0
        if length == 0 and kind == b"mdat":
            return [*boxes, (kind, None)]
        if length < 8 or kind not in _BOXES:
            break  # something was appended
        at += length
        boxes.append((kind, at))
    return boxes or [(b"", None)]


def _is_whole_riff(file: BinaryIO, size: int) -> bool | None:
    at = 0
    while at + 8 <= size:
        file.seek(at)
        kind, length = struct.unpack("<4sI", file.read(8))
        if kind != b"RIFF":
            break  # something was appended
        if length in (0, 0xFFFFFFFF):
            return None
        at += 8 + length
        if at > size:
            return False
        at += length & 1
    return True


def _is_whole_gif(file: BinaryIO) -> bool:
    """Whether the blocks of a GIF go on to its trailer."""

    def skip_table(flags: int) -> None:
        if flags & 0x80:
            file.seek(3 << ((flags & 7) + 1), os.SEEK_CUR)

    file.seek(10)
    skip_table(_byte(file))
    file.seek(2, os.SEEK_CUR)
    while (kind := _byte(file)) in (0x21, 0x2C):  # an extension, a picture
        if kind == 0x2C:
            file.seek(8, os.SEEK_CUR)
            skip_table(_byte(file))
        file.seek(1, os.SEEK_CUR)  # what the extension is, or the width of the picture's codes
        while length := _byte(file):
            file.seek(length, os.SEEK_CUR)
    return kind == 0x3B


def _byte(file: BinaryIO) -> int:
    """The next byte; 0 at the end of the file, which ends a chain of blocks."""
    return (file.read(1) or b"\0")[0]


def _is_whole_asf(file: BinaryIO, size: int) -> bool | None:
    at = 0
    while at + 24 <= size:
        file.seek(at + 16)
        (length,) = struct.unpack("<Q", file.read(8))
        if length < 24:
            return None  # written live: its length was not known
        at += length
    return at <= size


def _is_whole_matroska(head: bytes, size: int) -> bool | None:
    at = 4
    for mark in (b"", b"\x18\x53\x80\x67"):
        if not head.startswith(mark, at):
            return None
        at += len(mark)
        if at >= len(head) or not head[at]:
            return None
        width = 9 - head[at].bit_length()
        value = int.from_bytes(head[at : at + width], "big") & ((1 << 7 * width) - 1)
        if value == (1 << 7 * width) - 1:
            return None  # written live: its length was not known
        at += width
        if not mark:
            at += value
    return at + value <= size


def _is_whole_program_stream(file: BinaryIO, size: int) -> bool | None:
    """Whether the packets of an MPEG-PS, from its last pack on, end where the file does."""
    begin = max(0, size - _TAIL)
    file.seek(begin)
    tail = file.read()
    at = tail.rfind(_PACK)
    while 0 <= at < len(tail):
        if tail[at : at + 3] != b"\0\0\1":
            return None  # something was appended
        kind, rest = tail[at + 3 : at + 4], tail[at + 4 : at + 14]
        if kind == b"\xb9":
            at += 4
        elif kind == b"\xba":  # MPEG-1 has a shorter one
            at += 12 if rest[:1] and rest[0] >> 4 == 2 else 14 + (rest[9] & 7 if len(rest) == 10 else 0)
        else:
            at += 6 + int.from_bytes(rest[:2], "big")
    return None if at < 0 else at == len(tail)


def _is_whole_transport_stream(head: bytes, size: int) -> bool | None:
    """MPEG-TS promises nothing but whole packets."""
    for stride, lead in ((188, 0), (192, 4), (204, 0)):
        for first in range(lead, lead + stride):
            if len(head) > first + 5 * stride and all(head[first + k * stride] == 0x47 for k in range(6)):
                return (size - (first - lead)) % stride == 0
    return None
