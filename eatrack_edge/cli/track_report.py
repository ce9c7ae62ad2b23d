"""What ``track`` writes where, and what it says about it."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eatrack_edge.outputs.registry import OutputRequest
    from eatrack_edge.sources.base import Source
    from eatrack_edge.tracking.tracker import Tracker

_LONGEST_NAME = 200  # bytes of the source's name in that of a folder


def requested(
    output: Sequence[Path], named: dict[str, Path | None], save_dir: Path | None, frames: Source
) -> list[OutputRequest]:
    """Every file to write, none of them the source itself.

    Raises:
        UsageError: One is the source, or no form of output has its suffix.
    """
    from eatrack_edge.core.errors import UsageError
    from eatrack_edge.outputs.registry import OutputRequest, request_for

    requests = [request_for(path) for path in output]
    requests += [OutputRequest(form, path) for form, path in named.items() if path is not None]
    if save_dir is not None:
        folder = save_dir / f"{_shortened(frames.name)}-{datetime.now(timezone.utc):%Y%m%dT%H%M%SZ}"
        names = {"video": "video.mp4", "jsonl": "track.jsonl", "csv": "track.csv", "otb": "otb.txt"}
        given = {request.form for request in requests}
        requests += [OutputRequest(form, folder / name) for form, name in names.items() if form not in given]
    originals = {
        Path(frames.uri.removeprefix("file://")).resolve(),
        *(p.resolve() for p in getattr(frames, "paths", ())),
    }
    for _, path in requests:
        if path.resolve() in originals:
            raise UsageError(f"{path}: is the source itself", hint="write to another file")
    return requests


def _shortened(name: str) -> str:
    """A name that leaves room for a time within the 255 bytes that a file's name may have."""
    while len(os.fsencode(name)) > _LONGEST_NAME:
        name = name[:-1]
    return name


def is_readable(name: str) -> bool:
    """Whether a name is text: names of files may hold any bytes."""
    return os.fsencode(name).decode(errors="replace") == name


def warn(line: str) -> None:
    """Say something that a user should know, on stderr."""
    print(f"warning: {line}", file=sys.stderr, flush=True)


def warn_of_source(frames: Source) -> None:
    """Say what is unusual about a source's names."""
    from eatrack_edge.sources.images import first_gap

    if not is_readable(frames.uri):
        warn("the name of the source is not UTF-8: results have it with replacements")
    if (gap := first_gap(getattr(frames, "paths", []))) is not None:
        warn(f"images are missing after {gap.name}: frames are counted as they are there, and so are their times")


class Report:
    """Lines for a person or a grep: on stdout, or on stderr where an output has stdout for itself.

    Args:
        requests: The outputs of the run.
    """

    def __init__(self, requests: Sequence[OutputRequest]) -> None:
        from eatrack_edge.outputs.output_file import is_standard_output

        self._files = [path for _, path in requests if not is_standard_output(path)]
        self._stream = sys.stdout if len(self._files) == len(requests) else sys.stderr

    def backend(self, tracker: Tracker) -> None:
        """What runs the network, and why nothing better does."""
        self._line("backend", tracker.backend.name)
        for note in tracker.choice.notes:
            self._line("", note)

    def summary(self, table: dict[str, object]) -> None:
        """The summary and the files."""
        for key, value in table.items():
            self._line(key.replace("_", " "), value)
        for path in self._files:
            self._line("wrote", path)

    def _line(self, key: str, value: object) -> None:
        text = os.fsencode(str(value)).decode(errors="replace")  # a name may hold what is not UTF-8
        try:
            print(f"{key:<25} {text}", file=self._stream, flush=True)
        except BrokenPipeError:
            # Whoever read has left. Python would complain of it once more at the end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())
