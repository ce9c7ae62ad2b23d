"""Puts a live session together from its options, runs it, and prints what happens."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from eatrack_edge import __version__
from eatrack_edge.cli.build import refresh
from eatrack_edge.cli.console import print_note
from eatrack_edge.cli.fly_commands import obey_from, open_commands
from eatrack_edge.cli.fly_config import FlyConfig
from eatrack_edge.cli.fly_failures import FailedOutputs
from eatrack_edge.cli.fly_mavlink import open_camera_links
from eatrack_edge.cli.fly_outputs import LOG_FRAMES, open_flight_outputs
from eatrack_edge.cli.fly_screen import Screen
from eatrack_edge.cli.fly_web import open_station
from eatrack_edge.cli.interrupts import Interrupts
from eatrack_edge.cli.options import parse_box
from eatrack_edge.core.boxes import Box, check_box
from eatrack_edge.core.errors import EATrackError
from eatrack_edge.ground.mavlink.camera_link import CameraLink
from eatrack_edge.outputs.base import RunInfo
from eatrack_edge.outputs.live_jsonl import LiveJsonLines
from eatrack_edge.outputs.outputs import removal_of_new
from eatrack_edge.outputs.registry import open_output
from eatrack_edge.session.commands import Select
from eatrack_edge.session.event_log import EventLog
from eatrack_edge.session.events import EndEvent
from eatrack_edge.session.first_motion import FirstMotion
from eatrack_edge.session.live import Listener, LiveSession
from eatrack_edge.session.live_summary import LiveSummary
from eatrack_edge.session.output_thread import FileOutputs, OutputThread
from eatrack_edge.session.service_notifier import ServiceNotifier
from eatrack_edge.sources.base import Source
from eatrack_edge.sources.feed import EveryFrame, FrameFeed
from eatrack_edge.sources.latest import LiveSource
from eatrack_edge.sources.realtime import RealtimeSource
from eatrack_edge.sources.registry import open_source
from eatrack_edge.tracking.tracker import Tracker


def run_flight(options: FlyConfig) -> int:
    """Track live until the source, a command or a signal ends it.

    Returns:
        The signal that ended it; 0 where none did.

    Raises:
        UsageError: An option does not fit, or a file exists and may not be replaced.
        SourceLost: The source died, with ``once``.
        OutputError: It ended, and an output had failed on the way.
        MachineError: The source or the backend lacks something on this machine.
    """
    with ExitStack() as stack:
        source = stack.enter_context(open_source(options.source, live=options.input))
        box = _first_box(source, options)
        if isinstance(source, LiveSource):
            print(f"{'waiting for':<25} {source.uri}", flush=True)
        elif options.realtime:
            source = stack.enter_context(RealtimeSource(source))
        refresh(options.model, options.backend)
        tracker = Tracker(options.model, backend=options.backend, threads=options.threads, settings=options.tracker)
        stack.enter_context(tracker)
        print(f"{'backend':<25} {tracker.backend.name}")
        feed: FrameFeed = source if isinstance(source, LiveSource) else EveryFrame(source)
        selector = FirstMotion() if options.select == "first-motion" else None
        session = LiveSession(
            tracker, feed, history=options.history, selector=selector, view_delay_ms=options.view_delay_ms
        )
        if box is not None:
            session.commands.put(Select(box))
        station = open_station(options, session, tracker, source)  # first: it may refuse, and files would be left
        if station is not None:
            stack.callback(station.close)
        commands = open_commands(options.commands) if options.commands else None  # this may, too
        with _all_or_none(options) as outputs:
            for output in _open_outputs(session, tracker, source, options):
                outputs.append(output)
            links = open_camera_links(session, options)
        if station is not None:
            station.watch(outputs[1:])
        if commands is not None:
            obey_from(commands, session.commands.put)
        if box is None and not (selector or station or commands or links or options.show):
            print_note("nothing selects a target; give --box X,Y,W,H, --commands -, --web, --mavlink or --show")
        return _run(_Flight(session, outputs, links, station), options)


@contextmanager
def _all_or_none(options: FlyConfig) -> Iterator[list[OutputThread]]:
    """For outputs that are opened meanwhile: if that fails, they are finished, and files that are new are removed."""
    undo = removal_of_new([Path(path) for path in filter(None, (options.jsonl, *options.output, options.mcap))])
    opened: list[OutputThread] = []
    try:
        yield opened
    except BaseException:
        for output in opened:
            output.close()
        undo()
        raise


@dataclass(frozen=True, slots=True)
class _Flight:
    """A session, and all that listens to it.

    Attributes:
        session: Not yet running.
        outputs: The screen first, then the files.
        links: MAVLink connections.
        station: The browser ground station; ``None`` without one.
    """

    session: LiveSession
    outputs: list[OutputThread]
    links: list[CameraLink]
    station: Listener | None

    @property
    def listeners(self) -> list[Listener]:
        """All of them."""
        return [*self.outputs, *self.links, *([self.station] if self.station else [])]


def _run(flight: _Flight, options: FlyConfig) -> int:
    """Run a session to its end, finish what listens to it, and print the summary.

    Returns:
        The signal that ended it; 0 where none did.

    Raises:
        OutputError: An output had failed.
    """
    session, summary, notifier, failed = flight.session, LiveSummary(), ServiceNotifier(), FailedOutputs()
    session.listeners[:] = [summary, failed, notifier, *flight.listeners]
    ended = "error"
    notifier.ready()
    with Interrupts() as interrupts:

        def is_stopped() -> bool:
            notifier.turn()  # by the loop itself: a tracker that hangs must not look alive
            return bool(interrupts.signal_number)

        try:
            ended = session.run(max_frames=options.max_frames or None, is_stopped=is_stopped)
        except EATrackError as error:
            ended = f"error: {error.message}"
            raise
        finally:
            table = summary.table(ended) | {"failed_outputs": len(failed.reasons)}
            table |= {f"dropped_by_{one.name}": one.dropped for one in flight.outputs[1:] if one.dropped}
            session.emit(EndEvent(table))
            _close([*flight.outputs, *flight.links], session, failed)
            notifier.close()
    table["failed_outputs"] = len(failed.reasons)  # some fail when they are finished
    for key, value in table.items():
        print(f"{key.replace('_', ' '):<25} {value}")
    for path in filter(None, (options.jsonl, *options.output, options.mcap, options.record)):
        has_no_video = path == options.record and not summary.frames
        print(f"{'incomplete' if failed.has(path) else 'wrote a log alone' if has_no_video else 'wrote':<25} {path}")
    failed.check()
    return interrupts.signal_number


def _close(outputs: Sequence[OutputThread | CameraLink], session: LiveSession, failed: FailedOutputs) -> None:
    """Finish the outputs, and note which of them could not."""
    for output in outputs:
        if not output.close():
            failed.add(output.name, "stuck, and left behind unfinished")
    while not session.reports.empty():
        failed.offer(session.reports.get())


def _first_box(source: Source, options: FlyConfig) -> Box | None:
    """The box that was given, or the true one of a source that knows it; ``None`` waits for a selection.

    Raises:
        UsageError: It is no box, or lies mostly outside the frames of a file. Those of a camera are not known yet.
    """
    if options.box:
        box = parse_box(options.box)
        if not isinstance(source, LiveSource):
            check_box(box, *source.size)
        return box
    if options.select != "auto" or source.truth is None:
        return None
    x, y, w, h = (float(value) for value in source.truth[0])
    return x, y, w, h


def _open_outputs(session: LiveSession, tracker: Tracker, source: Source, options: FlyConfig) -> Iterator[OutputThread]:
    """The screen, the log and the files, each in a thread of its own, one by one."""
    header = _header(tracker, source, options)
    # The rate of a live source is not waited for: it may not be there yet.
    rate = options.input.rate or 30.0 if isinstance(source, LiveSource) else source.fps
    run = RunInfo(source.name, rate, header, options.overwrite)
    yield OutputThread(Screen(source.uri), "screen", session.reports.put)
    if options.jsonl:
        log = EventLog(LiveJsonLines(Path(options.jsonl), header, overwrite=options.overwrite))
        yield OutputThread(log, options.jsonl, session.reports.put, capacity=LOG_FRAMES)
    for path in options.output:
        output = open_output(path, run)
        capacity = 1 if output.needs_picture else LOG_FRAMES
        yield OutputThread(FileOutputs(output), path, session.reports.put, capacity=capacity)
    yield from open_flight_outputs(session, options, header, rate)


def _header(tracker: Tracker, source: Source, options: FlyConfig) -> dict[str, object]:
    spec = tracker.model_spec
    return {
        "tool": f"eatrack-edge {__version__}",
        "source": source.uri,
        "is_live": isinstance(source, LiveSource),
        **({"size": source.size} if isinstance(source, RealtimeSource) or not isinstance(source, LiveSource) else {}),
        # The clock of the ages, and the wall clock beside it: the latter jumps when it is set in flight.
        "monotonic_ns": time.monotonic_ns(),
        "wall_ns": time.time_ns(),
        "boot_id": _boot_id(),
        "model": {"name": spec.model, "checkpoint_sha256": spec.checkpoint_sha256},
        "backend": tracker.backend.name,
        "input": asdict(options.input),
        "settings": asdict(tracker.settings),
    }


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""
