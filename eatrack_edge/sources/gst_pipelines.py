"""GStreamer pipelines up to BGR frames: which elements a machine has decides between hardware and software."""

from __future__ import annotations

from collections.abc import Callable

from eatrack_edge.sources.live_options import FLIPS, LiveOptions

Has = Callable[[str], bool]
"""Whether GStreamer knows an element of this name."""

SINK_NAME = "eatrack"
# The sink holds one frame: an older one is dropped, and nothing waits for the clock.
SINK = f"appsink name={SINK_NAME} max-buffers=1 drop=true sync=false"
_TO_BGR = f"videoconvert ! video/x-raw,format=BGR ! {SINK}"


def csi(number: int, options: LiveOptions) -> str:
    """A Jetson's CSI camera, by NVIDIA's Argus."""
    caps = _caps("video/x-raw(memory:NVMM)", options, "NV12", width=1280, height=720, rate=30.0)
    return f"nvarguscamerasrc sensor-id={number} ! {caps} ! {_nvidia_to_bgr(options)}"


def usb(device: str, options: LiveOptions, has: Has) -> str:
    """A camera by v4l2. Its codec is MJPEG where the user says so, raw otherwise."""
    source = f"v4l2src device={device} do-timestamp=true"
    if options.codec == "mjpeg":
        return f"{source} ! {_caps('image/jpeg', options)} ! jpegparse ! {_decoded('mjpeg', options, has)}"
    if options.codec in ("h264", "h265"):
        number = options.codec[1:]
        caps = _caps(f"video/x-{options.codec}", options)
        return f"{source} ! {caps} ! h{number}parse ! {_decoded(options.codec, options, has)}"
    # nvvidconv takes no caps without a format; YUY2 is what USB cameras give.
    caps = _caps("video/x-raw", options, "YUY2" if has("nvvidconv") else "")
    return f"{source} ! {caps} ! {_nvidia_to_bgr(options) if has('nvvidconv') else _TO_BGR}"


def rtsp(uri: str, options: LiveOptions, has: Has) -> str:
    """An RTSP stream of H.264, or of H.265 where the user says so."""
    codec = options.codec or "h264"
    source = f'rtspsrc location="{uri}" latency={options.latency_ms} drop-on-latency=true protocols={options.transport}'
    return f"{source} ! {_unpacked(codec)} ! {_decoded(codec, options, has)}"


def rtp(port: int, options: LiveOptions, has: Has) -> str:
    """RTP packets of H.264, or of H.265 where the user says so."""
    codec = options.codec or "h264"
    caps = f"application/x-rtp,media=(string)video,clock-rate=(int)90000,encoding-name=(string){codec.upper()}"
    jitter = f"rtpjitterbuffer latency={options.latency_ms} drop-on-latency=true ! " if options.latency_ms else ""
    return f'udpsrc port={port} caps="{caps}" ! {jitter}{_unpacked(codec)} ! {_decoded(codec, options, has)}'


def custom(pipeline: str) -> str:
    """A pipeline of the user's own; what turns its end into BGR frames is added unless it ends in an appsink.

    >>> custom("videotestsrc ! video/x-raw,width=64").partition(" ! videoconvert")[0]
    'videotestsrc ! video/x-raw,width=64'
    """
    if "appsink" in pipeline:
        return pipeline if f"name={SINK_NAME}" in pipeline else pipeline.replace("appsink", SINK, 1)
    return f"{pipeline.strip().rstrip('!').strip()} ! {_TO_BGR}"


def is_flipped_by(pipeline: str) -> bool:
    """Whether the pipeline turns pictures itself."""
    return "flip-method=" in pipeline


def _unpacked(codec: str) -> str:
    # The hardware decoder wants whole access units, which the parser makes.
    return f"rtp{codec}depay ! {codec}parse"


def _decoded(codec: str, options: LiveOptions, has: Has) -> str:
    if codec == "mjpeg":
        # The decoder of video does not take JPEG on every Jetson (not on Thor), so that of pictures comes first.
        if has("nvjpegdec") and has("nvvidconv"):
            return f"nvjpegdec ! video/x-raw ! {_nvidia_to_bgr(options)}"
        if has("nvv4l2decoder"):
            return f"nvv4l2decoder mjpeg=1 ! {_nvidia_to_bgr(options)}"
        return f"jpegdec ! {_TO_BGR}"
    if has("nvv4l2decoder"):
        return f"nvv4l2decoder enable-max-performance=1 ! {_nvidia_to_bgr(options)}"
    return f"avdec_{codec} max-threads=1 ! {_TO_BGR}"  # threads would delay each frame by several


def _nvidia_to_bgr(options: LiveOptions) -> str:
    # nvvidconv cannot give BGR: it gives BGRx, and videoconvert drops the fourth byte.
    method = f" flip-method={FLIPS[options.flip].method}"
    return f"nvvidconv{method} ! video/x-raw,format=BGRx ! {_TO_BGR}"


def _caps(
    kind: str,
    options: LiveOptions,
    form: str = "",
    *,
    width: int | None = None,
    height: int | None = None,
    rate: float | None = None,
) -> str:
    rate = options.rate or rate
    parts = [kind]
    parts += [f"width={options.width or width}"] if options.width or width else []
    parts += [f"height={options.height or height}"] if options.height or height else []
    parts += [f"framerate={_fraction(rate)}"] if rate else []
    return ",".join([*parts, *([f"format={form}"] if form else [])])


def _fraction(rate: float) -> str:
    """A rate as GStreamer writes it; 29.97 is 30000/1001.

    >>> _fraction(30.0), _fraction(29.97)
    ('30/1', '30000/1001')
    """
    for top, bottom in ((round(rate), 1), (1000 * round(rate * 1.001), 1001)):
        if abs(top / bottom - rate) < 0.005:
            return f"{top}/{bottom}"
    return f"{round(1000 * rate)}/1000"
