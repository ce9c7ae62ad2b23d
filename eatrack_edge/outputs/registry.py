"""The output forms by name, and the files that a user asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from eatrack_edge.core.errors import UsageError
from eatrack_edge.core.registry import Registry
from eatrack_edge.outputs.base import Output, RunInfo
from eatrack_edge.outputs.output_file import check_writable, is_special, is_standard_output


class OutputForm(Protocol):
    """A form of output: a class with the suffixes that choose it, and a way to open it."""

    suffixes: Sequence[str]
    open: Callable[[Path, RunInfo], Output]


OUTPUTS: Registry[OutputForm] = Registry(
    "output",
    {
        "video": "eatrack_edge.outputs.video:VideoOutput",
        "jsonl": "eatrack_edge.outputs.jsonl:JsonLinesOutput",
        "csv": "eatrack_edge.outputs.csv:CsvOutput",
        "otb": "eatrack_edge.outputs.otb:OtbOutput",
    },
)


class OutputRequest(NamedTuple):
    """A file that the user asked for."""

    form: str  # a name in OUTPUTS
    path: Path


def request_for(path: Path) -> OutputRequest:
    """The form that a file's suffix chooses.

    Raises:
        UsageError: No form has that suffix.
    """
    suffixes: dict[str, str] = {}
    for name in OUTPUTS.names():
        suffixes |= dict.fromkeys(OUTPUTS.get(name).suffixes, name)
    form = suffixes.get(path.suffix.lower())
    if form is None and is_special(path):
        form = "video"  # a device such as /dev/null
    if form is None:
        raise UsageError(f"{path}: no output has the suffix `{path.suffix}`", hint=f"use {', '.join(suffixes)}")
    return OutputRequest(form, path)


def open_output(path: str | Path, run: RunInfo) -> Output:
    """Open one file in the form that its suffix chooses.

    Args:
        path: Such as ``out.mp4``, ``boxes.csv``, ``track.jsonl`` or ``boxes.txt``.
        run: What is tracked.

    Raises:
        UsageError: No form has that suffix, or the file exists and may not be replaced.
        OutputError: The file cannot be written.
    """
    form, path = request_for(Path(path))
    return OUTPUTS.get(form).open(path, run)


def check_requests(requests: Iterable[OutputRequest], *, overwrite: bool) -> None:
    """Refuse files that cannot be written, before anything is opened.

    Raises:
        UsageError: A file is there and may not be replaced, or two are one.
        OutputError: A file cannot be written.
    """
    seen: set[Path] = set()
    for _, path in requests:
        one = Path("-") if is_standard_output(path) else path.resolve()
        if one in seen and one != Path("/dev/null"):
            raise UsageError(f"{path}: named for two outputs", hint="each output needs a file of its own")
        seen.add(one)
        check_writable(path, overwrite=overwrite)
