"""``eatrack-edge frame``: one frame of a source as a picture, with coordinates to read a box from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def frame(
    source: Annotated[str, typer.Argument(help="A video, a folder of images, a quoted glob, or test://.")],
    start: Annotated[int, typer.Option(min=0, help="Which frame, from 0.")] = 0,
    grid: Annotated[bool, typer.Option("--grid", help="Draw lines with their coordinates, in pixels.")] = False,
    output: Annotated[Path, typer.Option("--output", "-o", help="The picture: .png or .jpg.")] = Path("frame.png"),
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that exists.")] = False,
) -> None:
    """Write one frame as a picture, to see where the target is."""
    import cv2

    from eatrack_edge.cli.track_report import warn
    from eatrack_edge.core.errors import UsageError
    from eatrack_edge.core.io import write_whole
    from eatrack_edge.outputs.grid import with_grid
    from eatrack_edge.outputs.output_file import check_writable
    from eatrack_edge.sources.registry import open_source

    if output.suffix.lower() not in (".png", ".jpg", ".jpeg"):
        raise UsageError(f"{output}: a picture ends in .png or .jpg")
    check_writable(output, overwrite=overwrite)
    with open_source(source, start=start) as frames:
        shown = next(iter(frames))
    picture = with_grid(shown.frame) if grid else shown.frame
    write_whole(output, cv2.imencode(output.suffix.lower(), picture)[1].tobytes())
    if shown.lost:
        warn(f"frame {shown.index} is lost to damage: the picture is of the one that was read before or after it")
    elif shown.is_damaged:
        warn(f"frame {shown.index} is damaged in part")
    height, width = shown.frame.shape[:2]
    print(f"{'frame':<25} {shown.index} at {shown.pts_s:.3f} s, {width}x{height}")
    print(f"{'wrote':<25} {output}")
