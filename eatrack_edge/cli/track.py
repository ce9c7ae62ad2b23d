"""``eatrack-edge track``: a box on every frame of a source, drawn on a video or written to files."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eatrack_edge.core.resources import DEFAULT_MODEL

if TYPE_CHECKING:
    from collections.abc import Callable

    from eatrack_edge.core.boxes import Box
    from eatrack_edge.outputs.outputs import Outputs
    from eatrack_edge.outputs.window import WindowOutput
    from eatrack_edge.session.summary import Summary
    from eatrack_edge.sources.base import Source
    from eatrack_edge.tracking.settings import TrackerSettings
    from eatrack_edge.tracking.tracker import Tracker


def track(
    context: typer.Context,
    source: Annotated[str, typer.Argument(help="A video, a folder of images, a quoted glob, or test:// for the synthetic scene.")],
    box: Annotated[str | None, typer.Option(help="The target in the first frame: x,y,w,h in pixels.")] = None,
    box_format: Annotated[str, typer.Option(help="Layout of --box: xywh, xyxy or cxcywh.")] = "xywh",
    normalized: Annotated[bool, typer.Option("--normalized", help="--box is in fractions of the frame, not in pixels.")] = False,
    start: Annotated[int, typer.Option(min=0, help="First frame, from 0; --box is the target in this frame.")] = 0,
    value_range: Annotated[str | None, typer.Option(metavar="LO,HI", help="Values to show as black and white, for pictures of more than 8 bits, such as thermal ones. Without it: those of the first picture.")] = None,
    max_frames: Annotated[int | None, typer.Option(min=1, help="Stop after this many frames.")] = None,
    model: Annotated[str, typer.Option(help="A bundled model, or an exported file or folder.")] = DEFAULT_MODEL,
    backend: Annotated[str, typer.Option(help="What runs the network: tensorrt, openvino, onnxruntime, or auto for the best that opens.")] = "auto",
    threads: Annotated[int, typer.Option(min=1, help="CPU threads of one inference.")] = 1,
    template_policy: Annotated[str, typer.Option(help="When the second template is replaced: medoid (every 25 frames, by the most typical recent crop), first_only (never), or one of your own.")] = "medoid",
    motion_model: Annotated[str, typer.Option(help="Where the target is expected in the next frame: static (at its last box), common_velocity, or one of your own.")] = "static",
    refinement: Annotated[str, typer.Option(help="A second look at the box by a smaller network: auto, off, vittrack, or one of your own.")] = "auto",
    output: Annotated[list[Path] | None, typer.Option("--output", "-o", help="A file to write; its suffix chooses the form: .mp4 (annotated video), .jsonl, .csv, .txt (OTB boxes). May be repeated.")] = None,
    jsonl: Annotated[Path | None, typer.Option(help="JSON lines, one object a frame, flushed frame by frame; - is the standard output.")] = None,
    csv: Annotated[Path | None, typer.Option(help="A table, one row a frame; - is the standard output.")] = None,
    otb: Annotated[Path | None, typer.Option(help="Boxes as the OTB toolkit reads them, x,y,w,h a line; - is the standard output.")] = None,
    save_dir: Annotated[Path | None, typer.Option(help="Write video, JSON lines, CSV and OTB boxes into a new folder below this one.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that exist.")] = False,
    show: Annotated[bool, typer.Option("--show", help="Open a window; q closes it. Without --box, draw the target in it with the mouse.")] = False,
) -> None:  # fmt: skip
    """Track one target through a video."""
    from eatrack_edge.cli.build import refresh
    from eatrack_edge.cli.options import parse_range
    from eatrack_edge.cli.track_report import Report, requested, warn, warn_of_source
    from eatrack_edge.outputs.base import RunInfo
    from eatrack_edge.outputs.outputs import Outputs
    from eatrack_edge.outputs.registry import check_requests
    from eatrack_edge.outputs.window import WindowOutput
    from eatrack_edge.sources.registry import open_source
    from eatrack_edge.tracking.tracker import Tracker

    _refuse_more(source, context.args)
    values = parse_range(value_range) if value_range else None
    with open_source(source, start=start, value_range=values) as frames, ExitStack() as stack:
        # Whatever can be wrong is found out before a file is opened: source, names of files, box, model, backend.
        requests = requested(output or [], {"jsonl": jsonl, "csv": csv, "otb": otb}, save_dir, frames)
        check_requests(requests, overwrite=overwrite)
        report = Report(requests)
        if not requests and not show:
            warn("nothing will be kept: no output was asked for; -o out.mp4 or --jsonl track.jsonl writes one")
        warn_of_source(frames)
        window = stack.enter_context(WindowOutput(f"eatrack-edge: {frames.name}")) if show else None
        target = _target(box, box_format, frames, start, window, is_normalized=normalized)
        settings = _settings(template_policy, motion_model, refinement)
        refresh(model, backend)
        tracker = stack.enter_context(Tracker(model, backend=backend, threads=threads, settings=settings))
        report.backend(tracker)
        run = RunInfo(frames.name, frames.fps, _header(frames, target, tracker, start), overwrite)

        def open_outputs() -> Outputs:
            return stack.enter_context(Outputs(requests, run, also=[window] if window else ()))

        summary, table, signal_number = _run(tracker, frames, target, open_outputs, start, max_frames)
        report.summary(table)
        for line in summary.warnings():
            warn(line)
    if signal_number:
        raise typer.Exit(128 + signal_number)


def _settings(template_policy: str, motion_model: str, refinement: str) -> TrackerSettings:
    from eatrack_edge.tracking.settings import MotionSettings, RefinementSettings, TemplateSettings, TrackerSettings

    return TrackerSettings(
        motion=MotionSettings(model=motion_model),
        templates=TemplateSettings(policy=template_policy),
        refinement=RefinementSettings(policy=refinement),
    )


def _run(
    tracker: Tracker,
    frames: Source,
    target: Box,
    open_outputs: Callable[[], Outputs],
    start: int,
    max_frames: int | None,
) -> tuple[Summary, dict[str, object], int]:
    """Track and write until the source, the user or an error ends it; also the signal that ended it, or 0."""
    from eatrack_edge.cli.console import TrackProgress
    from eatrack_edge.cli.interrupts import Interrupts
    from eatrack_edge.core.errors import EATrackError, InputError
    from eatrack_edge.session.delivery import deliver
    from eatrack_edge.session.session import track as tracked_frames
    from eatrack_edge.session.summary import Summary

    total = None if frames.frame_count is None else frames.frame_count - start
    if max_frames is not None:
        total = max_frames if total is None else min(total, max_frames)
    tracked = tracked_frames(tracker, frames, target)
    first = next(tracked, None)  # the target is known to be good before a file is opened
    if first is None:
        raise InputError(f"{frames.uri}: the source has no frames")
    outputs, summary = open_outputs(), Summary()
    with Interrupts() as interrupts, TrackProgress(frames.name, total) as progress:

        def ended() -> str:
            if interrupts.signal_number:
                return "interrupted"
            if outputs.is_closed_by_user:
                return "window closed"
            return "max frames" if summary.frames == max_frames else ""

        try:
            reason = deliver(
                chain([first], tracked),
                outputs,
                summary,
                templates=lambda: tracker.templates.crops,
                advance=progress.advance,
                ended=ended,
            )
        except EATrackError as error:
            with suppress(EATrackError):  # the first error is the one to report
                outputs.write_summary(summary.table(f"error: {error.message}"))
            raise
    table = summary.table(reason)
    outputs.write_summary(table)
    return summary, table, interrupts.signal_number


def _refuse_more(source: str, more: list[str]) -> None:
    """Refuse several sources, which a pattern without quotes becomes.

    Raises:
        UsageError: There are several.
    """
    from eatrack_edge.core.errors import UsageError

    if more:
        pattern = Path(source).parent / f"*{Path(source).suffix}"
        raise UsageError(
            f"{1 + len(more)} sources were named, from `{source}` to `{more[-1]}`; one is tracked at a time",
            hint=f"put a pattern in quotes, so that the shell leaves it alone: '{pattern}'",
        )


def _target(
    text: str | None, layout: str, frames: Source, start: int, window: WindowOutput | None, *, is_normalized: bool
) -> Box:
    """The target in the first frame: as given, as drawn in the window, or the true one of the synthetic scene.

    Raises:
        UsageError: There is none, or it is no box of this frame.
    """
    import shlex

    from eatrack_edge.cli.options import read_box
    from eatrack_edge.core.errors import UsageError

    if text:
        return read_box(text, layout, frames.size, is_normalized=is_normalized)
    if frames.truth is not None:
        x, y, w, h = (float(value) for value in frames.truth[start])
        return x, y, w, h
    if window is not None and (drawn := window.ask_box(next(iter(frames)).frame)) is not None:
        return drawn
    see = f"eatrack-edge frame {shlex.quote(frames.uri)} --start {start} --grid -o first.png"
    raise UsageError("there is no target", hint=f"see where it is: {see}; then give --box x,y,w,h")


def _header(frames: Source, target: Box, tracker: Tracker, start: int) -> dict[str, object]:
    from dataclasses import asdict

    from eatrack_edge import __version__

    spec = tracker.model_spec
    value_range = getattr(frames, "value_range", None)
    return {
        "tool": f"eatrack-edge {__version__}",
        "source": frames.uri,
        "size": frames.size,
        "fps": frames.fps,
        "rotation_applied": frames.rotation_applied,
        **({} if value_range is None else {"value_range": value_range}),
        "start": start,
        "box": target,
        "model": {"name": spec.model, "checkpoint_sha256": spec.checkpoint_sha256},
        "backend": tracker.backend.name,
        "settings": asdict(tracker.settings),
    }
