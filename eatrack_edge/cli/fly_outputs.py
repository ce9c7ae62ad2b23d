"""The outputs of ``eatrack-edge fly`` that show pictures or grow with the flight: window, streams and recordings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from eatrack_edge.cli.fly_config import FlyConfig
from eatrack_edge.outputs.mcap import McapFile
from eatrack_edge.outputs.window import check_screen
from eatrack_edge.session.live import LiveSession
from eatrack_edge.session.live_window import LiveWindow
from eatrack_edge.session.mcap_log import McapLog
from eatrack_edge.session.output_thread import OutputThread
from eatrack_edge.session.recorder import open_recording
from eatrack_edge.session.stream_output import StreamOutput
from eatrack_edge.sources.live_uri import name_of

LOG_FRAMES = 300  # that may wait for a disk that stalls: ten seconds of them


def open_flight_outputs(
    session: LiveSession, options: FlyConfig, header: Mapping[str, object], rate: float
) -> Iterator[OutputThread]:
    """Open what ``--show``, ``--stream``, ``--record`` and ``--mcap`` ask for, each in a thread of its own, one by one.

    Args:
        session: Its failures are reported to it.
        options: Of the flight.
        header: What the run is, for the logs.
        rate: Nominal frames per second.

    Raises:
        UsageError: A stream cannot be sent so, or a file exists and may not be replaced.
        MachineError: This machine lacks something.
        ConfigError: An option is out of range.
    """
    report = session.reports.put
    if options.show:
        check_screen()
        window = LiveWindow(f"eatrack-edge: {name_of(options.source)}", session.commands.put)
        yield OutputThread(window, "window", report)
    for uri in options.stream:
        stream = StreamOutput(uri, options.video, report)
        print(f"{'stream':<25} {uri}, H.264 by {stream.description}")
        yield OutputThread(stream, uri, report)
    if options.mcap:
        log = McapLog(McapFile(Path(options.mcap), overwrite=options.overwrite), header)
        yield OutputThread(log, options.mcap, report, capacity=LOG_FRAMES)
    if options.record:
        folder, recorded, budget = Path(options.record), options.record_what, options.record_budget
        yield from open_recording(folder, what=recorded, budget=budget, rate=rate, header=header, on_failure=report)
