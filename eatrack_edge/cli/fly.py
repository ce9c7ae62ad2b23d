"""``eatrack-edge fly``: tracks the newest frame of a camera or a stream, for as long as it takes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand


class FlyCommand(TyperCommand):
    """``--web`` may stand alone, which typer's options cannot."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put ``on`` after a ``--web`` that has no value."""
        words = []
        for word, following in zip(args, [*args, "-"][1:], strict=True):
            is_alone = word == "--web" and following.startswith("-")
            words += [word, "on"] if is_alone else [word]
        return super().parse_args(ctx, words)


def fly(
    source: Annotated[str, typer.Argument(help="rtsp://, rtp://, udp://, http(s)://, /dev/video0, csi://0, gst://PIPELINE, - for stdin, a file, or test://.")] = "",
    box: Annotated[str, typer.Option(help="The target in the first frame: x,y,w,h in pixels. Without one, a selection is waited for.")] = "",
    select: Annotated[str, typer.Option(help="Where no box is given: none, first-motion, or auto for the true box of test://.")] = "",
    config: Annotated[Path | None, typer.Option(help="All options from a TOML file; those given here come first.")] = None,
    print_config: Annotated[bool, typer.Option("--print-config", help="Print all options as TOML, and end.")] = False,
    once: Annotated[bool, typer.Option("--once", help="End when the source is lost, in place of reopening it.")] = False,
    realtime: Annotated[bool, typer.Option("--realtime", help="Play a file as if it were live.")] = False,
    max_frames: Annotated[int, typer.Option(min=0, help="End after this many results; 0 never does.")] = 0,
    model: Annotated[str, typer.Option(help="A bundled model, or an exported file or folder.")] = "",
    backend: Annotated[str, typer.Option(help="What runs the network: tensorrt, openvino, onnxruntime, or auto.")] = "",
    threads: Annotated[int, typer.Option(min=0, help="CPU threads of one inference.")] = 0,
    refinement: Annotated[str, typer.Option(help="A second look at the box by a smaller network: auto, off, vittrack, or one of your own.")] = "",
    jsonl: Annotated[str, typer.Option(help="Log as JSON lines: each frame, each change of state, each loss of the source.")] = "",
    output: Annotated[list[str] | None, typer.Option("--output", "-o", help="A file to write; its suffix chooses the form: .mp4, .csv, .txt. May be repeated.")] = None,
    show: Annotated[bool, typer.Option("--show", help="Open a window; a box drawn with the mouse selects, q ends.")] = False,
    stream: Annotated[list[str] | None, typer.Option(help="Send live video with the box: rtp://HOST:5600, udp://HOST:5000, or serve rtsp://:8554/eatrack. May be repeated.")] = None,
    record: Annotated[str, typer.Option(help="Record to this folder: a video and its log for each minute.")] = "",
    record_what: Annotated[str, typer.Option(help="raw: the frames as the tracker saw them; annotated: with the box.")] = "",
    record_budget: Annotated[str, typer.Option(help="Most that recordings may take, such as 8GB; the oldest are deleted.")] = "",
    mcap: Annotated[str, typer.Option(help="Write results for Foxglove and rosbag2 to this file.")] = "",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that exist.")] = False,
    commands: Annotated[str, typer.Option(help="File or FIFO to read commands from, - for stdin: select x,y,w,h [frame]; point x,y [frame]; restore number; stop; quit.")] = "",
    view_delay: Annotated[str, typer.Option(help="Age of the picture that you see, such as 300ms: a selection that names no frame is taken on the frame of that time.")] = "",
    mavlink: Annotated[list[str] | None, typer.Option(help="Be a MAVLink camera for QGroundControl and others: udpout:HOST:PORT, udpin:HOST:PORT, tcp:HOST:PORT, tcpin:HOST:PORT or serial:DEVICE:BAUD. May be repeated.")] = None,
    mavlink_system: Annotated[int | None, typer.Option(help="The vehicle's MAVLink system number.")] = None,
    mavlink_gimbal: Annotated[bool | None, typer.Option("--gimbal", help="Point the vehicle's gimbal at the target, over the first MAVLink connection. Moves nothing else.")] = None,
    web: Annotated[str, typer.Option(help="Browser ground station at this HOST:PORT; alone or `on`: 127.0.0.1:8080.")] = "",
    web_token: Annotated[str, typer.Option(help="Token for its viewers, in place of EATRACK_WEB_TOKEN or of one that is made.")] = "",
    input_width: Annotated[int | None, typer.Option(help="Width that the camera is asked for, pixels.")] = None,
    input_height: Annotated[int | None, typer.Option(help="Height that the camera is asked for, pixels.")] = None,
    input_rate: Annotated[float | None, typer.Option(help="Frames per second that the camera is asked for.")] = None,
    input_codec: Annotated[str | None, typer.Option(help="h264, h265, mjpeg or raw.")] = None,
    input_flip: Annotated[str | None, typer.Option(help="none, clockwise, counterclockwise, rotate-180, horizontal, vertical, or a diagonal.")] = None,
    input_reader: Annotated[str | None, typer.Option(help="pyav, gstreamer, or auto: GStreamer where it has a hardware decoder.")] = None,
    latency: Annotated[int | None, typer.Option(help="Jitter buffer of network streams, milliseconds.")] = None,
) -> None:  # fmt: skip
    """Track one target live: the newest frame always, and a source that is reopened whenever it dies."""
    given = dict(locals())  # every option by its name, which is that of the configuration
    from eatrack_edge.cli.fly_config import FlyConfig, as_toml
    from eatrack_edge.cli.options import parse_milliseconds
    from eatrack_edge.core import config as files
    from eatrack_edge.core.errors import UsageError

    given["view_delay_ms"] = parse_milliseconds(view_delay, "--view-delay", "300ms") if view_delay else None
    given |= {"input_latency_ms": latency, "mavlink_connections": mavlink, "tracker_refinement": refinement}
    options = (files.load(FlyConfig, config) if config else FlyConfig()).with_options(given)
    if print_config:
        print(as_toml(options))
        return
    if not options.source:
        raise UsageError("no source was named", hint="for example: eatrack-edge fly rtsp://192.168.144.25:8554/main")
    from eatrack_edge.cli.fly_run import run_flight

    if signal_number := run_flight(options):
        raise typer.Exit(128 + signal_number)
