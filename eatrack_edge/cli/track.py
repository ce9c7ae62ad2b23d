"""``eatrack-edge track``: a box on every frame of a source, drawn, written down, or both."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eatrack_edge.cli.options import parse_box
from eatrack_edge.core.resources import DEFAULT_MODEL

if TYPE_CHECKING:
    from eatrack_edge.core.boxes import Box
    from eatrack_edge.outputs.registry import Outputs
    from eatrack_edge.sources.base import Source
    from eatrack_edge.tracking.tracker import Tracker


def track(
    source: Annotated[str, typer.Argument(help="A video, a folder of images, a quoted glob, or test://.")],
    box: Annotated[str | None, typer.Option(help="The target in the first frame: x,y,w,h in pixels.")] = None,
    box_format: Annotated[str, typer.Option(help="xywh, xyxy or cxcywh.")] = "xywh",
    normalized: Annotated[bool, typer.Option("--normalized", help="The box is in fractions of the frame.")] = False,
    start: Annotated[int, typer.Option(min=0, help="First frame, from 0; the box is drawn on it.")] = 0,
    max_frames: Annotated[int | None, typer.Option(min=1, help="Stop after so many frames.")] = None,
    model: Annotated[str, typer.Option(help="A bundled model, or an exported file or folder.")] = DEFAULT_MODEL,
    backend: Annotated[str, typer.Option(help="auto, tensorrt, openvino or onnxruntime; auto takes the best there is.")] = "auto",
    threads: Annotated[int, typer.Option(min=1, help="Threads of one inference.")] = 1,
    template_updates: Annotated[bool, typer.Option(help="Adapt the second template to the target over time.")] = True,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Annotated video.")] = None,
    jsonl: Annotated[Path | None, typer.Option(help="One JSON object a line, flushed frame by frame.")] = None,
    csv: Annotated[Path | None, typer.Option(help="A table, one row a frame.")] = None,
    otb: Annotated[Path | None, typer.Option(help="x,y,w,h a line, as the OTB toolkit reads.")] = None,
    save_dir: Annotated[Path | None, typer.Option(help="All of these, in a folder of this run's own under it.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that are there.")] = False,
    show: Annotated[bool, typer.Option("--show", help="Open a window; q closes it.")] = False,
) -> None:  # fmt: skip
    """Follow one target through a video."""
    from eatrack_edge.cli.build import refresh
    from eatrack_edge.outputs.registry import Outputs, Wanted
    from eatrack_edge.sources.registry import open_source
    from eatrack_edge.tracking.settings import TemplateSettings, TrackerSettings
    from eatrack_edge.tracking.tracker import Tracker

    with open_source(source, start=start) as frames, ExitStack() as stack:
        target = _parse_box(box, box_format, normalized, frames.size) if box else _true_box(frames, start)
        settings = TrackerSettings(templates=TemplateSettings(is_enabled=template_updates))
        refresh(model, backend)
        tracker = Tracker(model, backend=backend, threads=threads, settings=settings)
        _print_backend(tracker)
        wanted = Wanted(output, jsonl, csv, otb, save_dir, overwrite, show)
        outputs = stack.enter_context(Outputs(wanted, frames, _header(frames, target, tracker, start)))
        stopped_by = _run(tracker, frames, target, outputs, start=start, max_frames=max_frames)
    if stopped_by:
        raise typer.Exit(128 + stopped_by)


def _run(tracker: Tracker, frames: Source, target: Box, outputs: Outputs, *, start: int, max_frames: int | None) -> int:
    """Track and write until the source, the user or a fault ends it; the number of the signal, if one did."""
    from eatrack_edge.cli.console import TrackProgress
    from eatrack_edge.cli.interrupts import Interrupts
    from eatrack_edge.core.errors import EATrackError
    from eatrack_edge.session.session import Summary, follow

    summary, ended = Summary(), "end of source"
    total = None if frames.frame_count is None else frames.frame_count - start
    if max_frames is not None:
        total = max_frames if total is None else min(total, max_frames)
    with Interrupts() as interrupts, TrackProgress(frames.name, total) as progress:
        try:
            for followed in follow(tracker, frames, target):
                summary.add(followed)
                outputs.write(followed, summary.update_fps, tracker.template_crops)
                progress.advance(followed.record)
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
            with suppress(EATrackError):  # the first fault is the one to report
                outputs.finish(summary.table(f"error: {error.message}"))
            raise
    table = summary.table(ended)
    outputs.finish(table)
    outputs.print_summary(table)
    return interrupts.signal_number


def _print_backend(tracker: Tracker) -> None:
    """What will run, and why nothing better does, before the first frame."""
    print(f"{'backend':<25} {tracker.backend.name}")
    for note in tracker.choice.notes:
        print(f"{'':<25} {note}")


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

    model_spec = tracker.model_spec
    return {
        "tool": f"eatrack-edge {__version__}",
        "source": frames.uri,
        "size": frames.size,
        "fps": frames.fps,
        "rotation_applied": frames.rotation_applied,
        "start": start,
        "box": target,
        "model": {"name": model_spec.model, "checkpoint_sha256": model_spec.checkpoint_sha256},
        "backend": tracker.backend.name,
        "config": asdict(tracker.settings),
    }
