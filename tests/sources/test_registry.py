from __future__ import annotations

from pathlib import Path

import pytest

from eatrack_edge.core.errors import EATrackError, InputError
from eatrack_edge.sources.registry import open_source

SUPPORTED = "hint: give a video file, file://, a folder of images, a quoted glob such as 'frames/*.jpg', or test://"


def test_a_path_with_file_before_it_is_the_same_video(video: Path) -> None:
    with open_source(f"file://{video}") as source:
        assert source.name == "clip"
        assert sum(1 for _ in source) == 30


def test_a_folder_is_read_as_images(images) -> None:
    with open_source(str(images("a2.png", "a10.png", "a1.png"))) as source:
        assert source.name == "frames"
        assert (source.frame_count, source.fps, source.size) == (3, 30.0, (64, 48))


def test_a_glob_is_read_as_images_of_its_folder(images) -> None:
    folder = images("left1.png", "left2.png", "right1.png")
    with open_source(f"{folder}/left*.png", image_fps=10) as source:
        assert source.name == "frames"
        assert [frame.pts_s for frame in source] == [0.0, 0.1]


def test_a_folder_with_brackets_in_its_name_is_not_a_glob(tmp_path: Path, images) -> None:
    images("a.png").rename(tmp_path / "frames [1]")
    with open_source(str(tmp_path / "frames [1]")) as source:
        assert source.frame_count == 1


def test_a_single_image_is_a_source_of_one_frame(images) -> None:
    with open_source(str(images("a.png") / "a.png")) as source:
        assert (source.name, source.frame_count) == ("a", 1)


def test_the_synthetic_scene_is_a_source() -> None:
    with open_source("test://?frames=2&width=96&height=96") as source:
        assert [frame.index for frame in source] == [0, 1]


def test_the_home_folder_is_understood(video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(video.parent))
    assert open_source("~/clip.mp4").frame_count == 30


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        pytest.param("nowhere.mp4", f"nowhere.mp4: no such file or folder\n{SUPPORTED}", id="missing file"),
        pytest.param(
            "webrtc://drone/live",
            "webrtc://drone/live: sources of the kind `webrtc://` are not supported\n"
            "hint: give a path, or one of file://, test://, rtsp://, rtp://, udp://, http://, https://, stdin://, "
            "v4l2://, csi://, gst://",
            id="unknown scheme",
        ),
        pytest.param("", f"no source was named\n{SUPPORTED}", id="empty"),
        pytest.param("file://", f"no source was named\n{SUPPORTED}", id="file without a path"),
        pytest.param(
            "nowhere/*.jpg",
            "nowhere/*.jpg: no image matches\nhint: put the pattern in quotes, so that the shell leaves it alone",
            id="glob",
        ),
    ],
)
def test_what_cannot_be_opened_is_refused_in_words(uri: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        open_source(uri)
    assert str(caught.value) == message
    assert caught.value.exit_code == 2


def test_frames_do_not_count_from_below_zero(video: Path) -> None:
    with pytest.raises(EATrackError) as caught:
        open_source(str(video), start=-1)
    assert str(caught.value) == f"{video}: cannot start at frame -1: frames count from 0"


@pytest.mark.parametrize("kind", ["video", "images", "synthetic"])
def test_a_start_beyond_the_end_is_refused_with_the_length(kind: str, video: Path, images) -> None:
    uri = {"video": str(video), "images": str(images("a.png")), "synthetic": "test://?frames=9&width=96&height=96"}[
        kind
    ]
    count = {"video": 30, "images": 1, "synthetic": 9}[kind]
    with pytest.raises(InputError) as caught:
        open_source(uri, start=count)
    assert caught.value.message.endswith(
        f"cannot start at frame {count}: the source has {count} frames, 0 to {count - 1}"
    )


@pytest.mark.parametrize("kind", ["video", "images", "synthetic"])
def test_a_closed_source_delivers_no_more(kind: str, video: Path, images) -> None:
    uri = {"video": str(video), "images": str(images("a.png", "b.png")), "synthetic": "test://?width=96&height=96"}[
        kind
    ]
    with open_source(uri) as source:
        frames = iter(source)
        next(frames)
    assert list(frames) == []


@pytest.mark.parametrize("kind", ["video", "images", "synthetic"])
def test_frames_are_contiguous_bgr_bytes(kind: str, video: Path, images) -> None:
    uri = {"video": str(video), "images": str(images("a.png")), "synthetic": "test://?width=96&height=96"}[kind]
    with open_source(uri) as source:
        frame = next(iter(source)).frame
        assert (frame.dtype, frame.ndim, frame.shape[2], frame.flags.c_contiguous) == ("uint8", 3, 3, True)
        assert source.size == (frame.shape[1], frame.shape[0])


@pytest.mark.parametrize("before", ["file://", "file://localhost"])
def test_an_address_as_a_file_manager_copies_it_is_understood(video: Path, before: str) -> None:
    path = video.rename(video.parent / "My Vidéo 100%.mp4")
    assert open_source(f"{before}{video.parent}/My%20Vid%C3%A9o%20100%25.mp4").frame_count == 30
    assert open_source(f"file://{path}").frame_count == 30


@pytest.mark.parametrize("uri", ["a" * 5000, "~nobody-of-this-name/a.mp4", "a\0b"], ids=["long", "user", "zero byte"])
def test_a_name_that_no_file_can_have_is_refused_in_words(uri: str) -> None:
    with pytest.raises(InputError, match="no such file or folder"):
        open_source(uri)
