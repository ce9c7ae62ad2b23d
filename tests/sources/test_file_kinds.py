from __future__ import annotations

from pathlib import Path

import av
import pytest

from eatrack_edge.core.errors import InputError
from eatrack_edge.sources.file_kinds import is_whole
from eatrack_edge.sources.registry import open_source
from sources.clips import copied, picture, write_video

_ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        pytest.param("a.mp4", b"", "not a video: it is an empty file (0 bytes)", id="zero bytes"),
        pytest.param("boat1.txt", b"1,2,3,4\n" * 99, "not a video: it is a text file", id="annotations"),
        pytest.param(
            "a.mp4", "Größe\n".encode("utf-16"), "not a video: it is a text file", id="text of two bytes a letter"
        ),
        pytest.param("notes.nfo", b"\x1b[31mred\x1b[0m\n", "not a video: it is a text file", id="text with colours"),
        pytest.param(
            "a.mp4",
            b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n",
            "not a video: it is a Git LFS pointer; `git lfs pull` fetches the video",
            id="Git LFS",
        ),
        pytest.param("a.mp4", b"\n<!DOCTYPE html><html>404", "not a video: it is a web page", id="web page"),
        pytest.param(
            "a.m3u8",
            b"#EXTM3U\n#EXTINF:1,\nclip.ts\n",
            "not a video: it is a playlist that names other files",
            id="HLS playlist",
        ),
        pytest.param(
            "a.ffconcat",
            b"ffconcat version 1.0\nfile clip.mp4\n",
            "not a video: it is a playlist that names other files",
            id="list of files to join",
        ),
        pytest.param(
            "a.sdp",
            b"v=0\r\nm=video 5004 RTP/AVP 96\r\n",
            "not a video: it is a description of a stream (SDP)",
            id="stream description",
        ),
        pytest.param(
            "a.txt", b"hello world\n" * 300 + b"\x01", "not a video: it is a text file", id="text with an odd byte"
        ),
        pytest.param("a.mp4", b"PK\x03\x04" + bytes(99), "not a video: it is a ZIP archive", id="archive"),
        pytest.param(
            "._a.mp4",
            b"\x00\x05\x16\x07\0\2\0\0Mac OS X        ",
            "not a video: it is Finder's notes of a Mac (AppleDouble); the video is the file without `._` before its name",
            id="AppleDouble",
        ),
        pytest.param(
            "a.mp4",
            bytes(9999),
            "not a video: it is a file of zeros, such as a download or a recording that was never finished",
            id="zeros",
        ),
    ],
)
def test_what_is_no_video_is_refused_with_what_it_is(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as caught:
        open_source(str(tmp_path / name))
    assert caught.value.message == f"{tmp_path / name}: {message}"


def test_noise_under_the_name_of_a_video_is_refused_with_ffmpegs_words(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(bytes(range(256)) * 9)
    with pytest.raises(InputError) as caught:
        open_source(str(path))
    assert str(caught.value) == (
        f"{path}: not a video: Invalid data found when processing input\n"
        "hint: check that it plays; ffprobe shows what is inside"
    )


def test_a_recording_without_its_index_says_so(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", [0, 0.1, 0.2])
    content = path.read_bytes()
    path.write_bytes(content[: content.index(b"moov") - 4] + content[content.index(b"mdat") - 4 :])
    with pytest.raises(InputError) as caught:
        open_source(str(path))
    assert caught.value.message == f"{path}: the recording has no index (moov)"
    assert "untrunc" in caught.value.hint


def test_a_file_that_may_not_be_read_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_video(tmp_path / "a.mp4", [0])

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(InputError) as caught:
        open_source(str(path))
    assert caught.value.message == f"{path}: cannot be read: permission denied"


def test_a_raw_video_that_begins_with_a_line_of_text_is_a_video(tmp_path: Path) -> None:
    path = tmp_path / "a.y4m"
    path.write_bytes(b"YUV4MPEG2 W32 H32 F30:1 C420jpeg\n" + (b"FRAME\n" + b"A" * 1536) * 3)
    assert len(list(open_source(str(path)))) == 3


def _written_as(kind: str, path: Path) -> Path:
    """A film of ten frames as a format of a codec that FFmpeg writes."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(kind, rate=25)
        stream.width, stream.height = 64, 48
        stream.pix_fmt = "rgb8" if kind == "gif" else "yuv420p"
        for number in range(10):
            frame = av.VideoFrame.from_ndarray(picture(number), format="bgr24")
            container.mux(stream.encode(frame.reformat(format=stream.pix_fmt)))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi", ".ts", ".gif", ".wmv", ".mpg", ".vob"])
def test_a_file_is_whole_until_its_end_is_missing(tmp_path: Path, suffix: str) -> None:
    times = [number / 30 for number in range(10)]
    codec = {".gif": "gif", ".wmv": "wmv2", ".mpg": "mpeg1video", ".vob": "mpeg2video"}.get(suffix)
    if codec:
        path = _written_as(codec, tmp_path / f"a{suffix}")
    elif suffix == ".ts":
        path = copied(write_video(tmp_path / "a.mp4", times), tmp_path / "a.ts")
    else:
        path = write_video(tmp_path / f"a{suffix}", times)
    assert is_whole(path) is True
    path.write_bytes(path.read_bytes()[:-1])
    assert is_whole(path) is False


@pytest.mark.parametrize(
    ("content", "answer"),
    [
        pytest.param(b"RIFF\0\0\0\0AVI " + bytes(99), None, id="AVI whose length was never written"),
        pytest.param(
            b"\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67\x01" + b"\xff" * 7 + bytes(9), None, id="Matroska written live"
        ),
        pytest.param(b"\x1a\x45\xdf\xa3\x80" + bytes(20), None, id="EBML that is no Matroska"),
        pytest.param(b"\0\0\0\x08ftyp\0\0\0\0mdat" + bytes(9), None, id="MP4 up to the end of the file"),
        pytest.param(b"\0\0\0\x08ftyp\0\0\0\1mdat" + (30).to_bytes(8, "big") + bytes(14), True, id="MP4 of wide boxes"),
        pytest.param(b"\0\0\0\x08ftypjunkjunkjunk", True, id="MP4 with something appended"),
        pytest.param(b"FLV\1" + bytes(99), None, id="FLV"),
        pytest.param(b"\0\0\1\xba\x44" + bytes(9) + b"\0\0\1\xb9appended", None, id="MPEG-PS with something appended"),
        pytest.param(b"\0\0\1\xba\x44" + bytes(8) + b"\xfa\xff\xff\0\0\1\xb9", True, id="MPEG-PS with a stuffed pack"),
        pytest.param(_ASF + (30).to_bytes(8, "little") + bytes(6 + 16 + 8), None, id="ASF written live"),
        pytest.param(
            b"GIF89a" + bytes(7) + b"\x21\xf9\1\0\0" + b";" + b"appended", True, id="GIF with something appended"
        ),
        pytest.param(b"GIF89a" + bytes(7) + b"\x21\xf9\1;\0", False, id="GIF cut off after a block"),
    ],
)
def test_a_structure_that_does_not_say_its_length_is_not_asked(
    tmp_path: Path, content: bytes, answer: bool | None
) -> None:
    (tmp_path / "a").write_bytes(content)
    assert is_whole(tmp_path / "a") is answer
