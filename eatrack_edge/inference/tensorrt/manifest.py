"""The note beside each engine: what it is, what it was built from, and which machine can run it.

``eatrack_s.fp16.track.engine`` is a plain TensorRT engine that any tool can load; ``eatrack_s.fp16.track.engine.json``
is its manifest. An engine carries no metadata of its own, so a backend finds the model specification in the
manifest.
It is read before the engine is deserialised, because TensorRT alone would log a line and hand back ``None``.

Standard library only: the drone reads this before anything else.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from eatrack_edge.core.errors import EngineMismatch, InputError
from eatrack_edge.core.io import sha256, write_whole
from eatrack_edge.core.model_spec import stem_of

SCHEMA = "eatrack-edge-engine/1"
# Where an ONNX graph names a file that holds its weights: the key `location`, then the name behind its length.
_EXTERNAL = re.compile(rb"\x0a\x08location\x12([\x01-\x7f])")


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A machine as an engine sees it. ``tensorrt`` and ``sm`` must be equal for an engine to load."""

    tensorrt: str  # TensorRT's own version, e.g. "10.3.0"; an engine loads in exactly this one
    cuda: str  # highest CUDA that the driver runs, e.g. "12.6"
    sm: str  # compute capability, e.g. "8.7"
    gpu: str  # the driver's name for the GPU, e.g. "Orin"
    board: str  # module id, e.g. "p3767-0005"; empty where the machine is no Jetson
    jetpack: str  # e.g. "6.2"; empty where the machine is no Jetson

    def __str__(self) -> str:
        return f"compute {self.sm} with TensorRT {self.tensorrt}"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an engine is and where it came from, from checkpoint to graph to engine."""

    model_spec: dict[str, str]  # ModelSpec.to_metadata()
    precision: str  # fp32, fp16, int8 or int8-fp16
    checkpoint_sha256: str  # of the weights' file; empty when there was none
    graph_sha256: str  # see graph_sha256()
    engine_sha256: str
    fingerprint: Fingerprint  # of the machine that built it
    built_at: str  # UTC, ISO 8601
    command: str  # builds it again
    builds: int = 1  # engines that were built, of which the fastest was kept
    latencies_ms: tuple[float, ...] = ()  # median of each of them, in ms; empty where there was nothing to choose
    parity: dict[str, float] = field(default_factory=dict)  # output to largest difference from ONNX; empty: not run
    tool_version: str = ""  # eatrack-edge that built it
    schema: str = SCHEMA


def manifest_path(engine: Path) -> Path:
    """Where an engine's manifest lies."""
    return engine.with_name(engine.name + ".json")


def read_manifest(engine: Path) -> Manifest:
    """The manifest beside ``engine``.

    Raises:
        InputError: There is none, or it cannot be read.
    """
    path = manifest_path(engine)
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        if table.get("schema") != SCHEMA:
            raise InputError(
                f"{path}: `schema` is {table.get('schema')!r}, this version reads {SCHEMA!r}", hint=_build(engine)
            )
        return _parse(table)
    except FileNotFoundError:
        raise InputError(f"{engine}: has no manifest, {path.name}, beside it", hint=_build(engine)) from None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: is no manifest: {error!r}", hint=_build(engine)) from error


def write_manifest(engine: Path, manifest: Manifest) -> Path:
    """Write the manifest beside ``engine``, whole or not at all.

    Raises:
        OutputError: It cannot be written.
    """
    path = manifest_path(engine)
    write_whole(path, json.dumps(asdict(manifest), indent=2) + "\n")
    return path


def check_file(engine: Path, manifest: Manifest) -> None:
    """Refuse an engine that is not, byte for byte, the one that was built.

    Raises:
        InputError: The file is missing, truncated or damaged.
    """
    if not engine.is_file():
        raise InputError(f"{engine}: no such engine", hint=f"build it: {manifest.command}")
    found = sha256(engine)
    if found != manifest.engine_sha256:
        raise InputError(
            f"{engine}: damaged or replaced: sha256 {found[:12]}, its manifest says {manifest.engine_sha256[:12]}",
            hint=f"build it again: {manifest.command}",
        )


def check_fit(engine: Path, manifest: Manifest, here: Fingerprint, *, graph: Path | None = None) -> None:
    """Refuse an engine that this machine cannot run, or that another graph was built into.

    Args:
        engine: The engine's file, for the message.
        manifest: Its manifest.
        here: This machine.
        graph: The ONNX file that the engine should have been built from, where it is at hand.

    Raises:
        EngineMismatch: Another compute capability or TensorRT, or another graph.
    """
    built = manifest.fingerprint
    if (built.tensorrt, built.sm) != (here.tensorrt, here.sm):
        raise EngineMismatch(
            f"{engine}: was built for {built}, this machine has {here}",
            hint=f"rebuild it on this machine: {manifest.command}",
        )
    if graph is not None:
        found = graph_sha256(graph)
        if found != manifest.graph_sha256:
            raise EngineMismatch(
                f"{engine}: was built from a graph with sha256 {manifest.graph_sha256[:12]}, "
                f"{graph.name} has {found[:12]}",
                hint=f"rebuild it: {manifest.command}",
            )


def engine_paths(name: str, precision: str, folder: Path) -> tuple[Path, Path]:
    """Template and track engine of a model, named as its graphs are: float32 has no precision in its name.

    >>> [path.name for path in engine_paths("eatrack_s", "fp16", Path("engines"))]
    ['eatrack_s.fp16.template.engine', 'eatrack_s.fp16.track.engine']
    """
    stem = stem_of(name, precision)
    return folder / f"{stem}.template.engine", folder / f"{stem}.track.engine"


def engine_home() -> Path:
    """Where engines live: ``$EATRACK_HOME/engines``, else in the user's cache. Not made here."""
    home = os.environ.get("EATRACK_HOME")
    if home:
        return Path(home) / "engines"
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "eatrack-edge" / "engines"


def graph_files(graph: Path) -> list[Path]:
    """An ONNX graph, and the files that it keeps its weights in.

    Raises:
        InputError: The graph cannot be read.
    """
    try:
        data = graph.read_bytes()
    except OSError as error:
        raise InputError(f"{graph}: cannot be read: {error.strerror}") from error
    names = {data[found.end() : found.end() + found[1][0]] for found in _EXTERNAL.finditer(data)}
    return [graph, *(graph.parent / name.decode() for name in sorted(names))]


def graph_sha256(graph: Path) -> str:
    """Of an ONNX graph together with its weights.

    Raises:
        InputError: One of its files cannot be read.
    """
    return sha256(*graph_files(graph))


def _parse(table: dict[str, Any]) -> Manifest:
    values = {spec.name: table[spec.name] for spec in fields(Manifest)}
    values["fingerprint"] = Fingerprint(**table["fingerprint"])
    values["latencies_ms"] = tuple(table["latencies_ms"])
    for name, kind in (("model_spec", dict), ("parity", dict), ("command", str), ("engine_sha256", str)):
        if not isinstance(values[name], kind):
            raise TypeError(f"`{name}` must be {kind.__name__}")
    return Manifest(**values)


def _build(engine: Path) -> str:
    model = engine.name.partition(".")[0]
    return f"build it on this machine, which writes both: eatrack-edge build {model}"
