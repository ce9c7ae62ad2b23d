"""``eatrack-edge track``: a box on every frame of a source, drawn on a video or written to files."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eatrack_edge.cli.options import parse_box
from eatrack_edge.core.resources import DEFAULT_MODEL

if TYPE_CHECKING:
    from eatrack_edge.core.boxes import Box
    from eatrack_edge.outputs.base import Output
    from eatrack_edge.outputs.registry import OutputRequest, Outputs
    from eatrack_edge.sources.base import Source
    from eatrack_edge.tracking.tracker import Tracker


def track(
    source: Annotated[str, typer.Argument(help="A video, a folder of images, a quoted glob, or test:// for the synthetic scene.")],
    box: Annotated[str | None, typer.Option(help="The target in the first frame: x,y,w,h in pixels.")] = None,
    box_format: Annotated[str, typer.Option(help="Layout of --box: xywh, xyxy or cxcywh.")] = "xywh",
    normalized: Annotated[bool, typer.Option("--normalized", help="--box is in fractions of the frame, not in pixels.")] = False,
    start: Annotated[int, typer.Option(min=0, help="First frame, from 0; --box is the target in this frame.")] = 0,
    max_frames: Annotated[int | None, typer.Option(min=1, help="Stop after this many frames.")] = None,
    model: Annotated[str, typer.Option(help="A bundled model, or an exported file or folder.")] = DEFAULT_MODEL,
    backend: Annotated[str, typer.Option(help="What runs the network: tensorrt, openvino, onnxruntime, or auto for the best that opens.")] = "auto",
    threads: Annotated[int, typer.Option(min=1, help="CPU threads of one inference.")] = 1,
    template_updates: Annotated[bool, typer.Option(help="Replace the second template over time, as the target changes.")] = True,
    output: Annotated[list[Path] | None, typer.Option("--output", "-o", help="A file to write; its suffix chooses the form: .mp4 (annotated video), .jsonl, .csv, .txt (OTB boxes). May be repeated.")] = None,
    jsonl: Annotated[Path | None, typer.Option(help="JSON lines, one object a frame, flushed frame by frame.")] = None,
    csv: Annotated[Path | None, typer.Option(help="A table, one row a frame.")] = None,
    otb: Annotated[Path | None, typer.Option(help="Boxes as the OTB toolkit reads them: x,y,w,h a line.")] = None,
    save_dir: Annotated[Path | None, typer.Option(help="Write all of these into a new folder below this one.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that exist.")] = False,
    show: Annotated[bool, typer.Option("--show", help="Open a window; q closes it.")] = False,
) -> None:  # fmt: skip
    """Track one target through a video."""
    from eatrack_edge.cli.build import refresh
    from eatrack_edge.outputs.base import RunInfo
    from eatrack_edge.outputs.registry import Outputs
    from eatrack_edge.sources.registry import open_source
    from eatrack_edge.tracking.settings import TemplateSettings, TrackerSettings
    from eatrack_edge.tracking.tracker import Tracker

    with open_source(source, start=start) as frames, ExitStack() as stack:
        target = _parse_box(box, box_format, normalized, frames.size) if box else _true_box(frames, start)
        requests = _requests(output or [], {"jsonl": jsonl, "csv": csv, "otb": otb}, save_dir, frames)
        settings = TrackerSettings(templates=TemplateSettings(policy="medoid" if template_updates else "first_only"))
        refresh(model, backend)
        tracker = stack.enter_context(Tracker(model, backend=backend, threads=threads, settings=settings))
        _print_backend(tracker)
        run = RunInfo(frames.name, frames.fps, _header(frames, target, tracker, start), overwrite)
        outputs = stack.enter_context(Outputs(requests, run, also=_windows(frames.name) if show else ()))
        table, signal_number = _run(tracker, frames, target, outputs, start=start, max_frames=max_frames)
        _print_summary(table, requests)
    if signal_number:
        raise typer.Exit(128 + signal_number)


def _run(
    tracker: Tracker, frames: Source, target: Box, outputs: Outputs, *, start: int, max_frames: int | None
) -> tuple[dict[str, object], int]:
    """Track and write until the source, the user or an error ends it; the summary, and the signal that ended it or 0."""
    from eatrack_edge.cli.console import TrackProgress
    from eatrack_edge.cli.interrupts import Interrupts
    from eatrack_edge.core.errors import EATrackError
    from eatrack_edge.session.session import track as tracked_frames
    from eatrack_edge.session.summary import Summary

    summary, ended = Summary(), "end of source"
    total = None if frames.frame_count is None else frames.frame_count - start
    if max_frames is not None:
        total = max_frames if total is None else min(total, max_frames)
    with Interrupts() as interrupts, TrackProgress(frames.name, total) as progress:
        try:
            for tracked in tracked_frames(tracker, frames, target):
                summary.add(tracked)
                shown, record = tracked
                fps, templates = summary.update_fps, tracker.templates.crops
                outputs.write(record, shown.frame, fps=fps, templates=templates, truth=shown.truth)
                progress.advance(record)
                if interrupts.signal_number:
                    ended = "interrupted"
                elif outputs.is_closed_by_user:
                    ended = "window closed"
                elif summary.frames == max_frames:
                    ended = "max frames"
                else:
                    continue
                break
        except EATrackError as error:
            with suppress(EATrackError):  # the first error is the one to report
                outputs.write_summary(summary.table(f"error: {error.message}"))
            raise
    table = summary.table(ended)
    outputs.write_summary(table)
    return table, interrupts.signal_number


def _requests(
    output: list[Path], named: dict[str, Path | None], save_dir: Path | None, frames: Source
) -> list[OutputRequest]:
    """Every file to write, none of them the source itself."""
    from eatrack_edge.core.errors import UsageError
    from eatrack_edge.outputs.registry import OutputRequest, request_for

    requests = [request_for(path) for path in output]
    requests += [OutputRequest(form, path) for form, path in named.items() if path is not None]
    if save_dir is not None:
        folder = save_dir / f"{frames.name}-{datetime.now(timezone.utc):%Y%m%dT%H%M%SZ}"
        names = {"video": "video.mp4", "jsonl": "track.jsonl", "csv": "track.csv", "otb": "otb.txt"}
        given = {request.form for request in requests}
        requests += [OutputRequest(form, folder / name) for form, name in names.items() if form not in given]
    original = Path(frames.uri.removeprefix("file://")).resolve()
    for _, path in requests:
        if path.resolve() == original:
            raise UsageError(f"{path}: is the source itself", hint="write to another file")
    return requests


def _windows(name: str) -> list[Output]:
    from eatrack_edge.outputs.window import WindowOutput

    return [WindowOutput(f"eatrack-edge: {name}")]


def _print_backend(tracker: Tracker) -> None:
    """What runs the network, and why nothing better does, before the first frame."""
    print(f"{'backend':<25} {tracker.backend.name}")
    for note in tracker.choice.notes:
        print(f"{'':<25} {note}")


def _print_summary(table: dict[str, object], requests: list[OutputRequest]) -> None:
    """The summary and the files, a line each, for a person or a grep."""
    for key, value in table.items():
        print(f"{key.replace('_', ' '):<25} {value}")
    for _, path in requests:
        print(f"{'wrote':<25} {path}")


def _parse_box(text: str, layout: str, is_normalized: bool, size: tuple[int, int]) -> Box:
    from eatrack_edge.core.errors import UsageError

    if layout not in ("xywh", "xyxy", "cxcywh"):
        raise UsageError(f"--box-format is xywh, xyxy or cxcywh, got `{layout}`")
    box = parse_box(text, layout)  # type: ignore[arg-type]  # one of the three
    width, height = size if is_normalized else (1, 1)
    return box[0] * width, box[1] * height, box[2] * width, box[3] * height


def _true_box(frames: Source, start: int) -> Box:
    """The target of a source that knows its own, which only the synthetic scene does."""
    from eatrack_edge.core.errors import UsageError

    if frames.truth is None:
        raise UsageError("there is no target", hint="say where it is in the first frame: --box x,y,w,h")
    x, y, w, h = (float(value) for value in frames.truth[start])
    return x, y, w, h


def _header(frames: Source, target: Box, tracker: Tracker, start: int) -> dict[str, object]:
    from dataclasses import asdict

    from eatrack_edge import __version__

    spec = tracker.model_spec
    return {
        "tool": f"eatrack-edge {__version__}",
        "source": frames.uri,
        "size": frames.size,
        "fps": frames.fps,
        "rotation_applied": frames.rotation_applied,
        "start": start,
        "box": target,
        "model": {"name": spec.model, "checkpoint_sha256": spec.checkpoint_sha256},
        "backend": tracker.backend.name,
        "settings": asdict(tracker.settings),
    }
