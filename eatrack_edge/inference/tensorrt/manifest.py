"""The manifest beside each engine: what it is, what it was built from, and which machine can run it.

``eatrack_s.fp16.track.engine`` is a plain TensorRT engine that any tool can load; ``eatrack_s.fp16.track.engine.json``
is its manifest. An engine carries no metadata of its own, so the model specification is stored here. The manifest is
read before the engine is deserialised, because TensorRT alone would log a line and return ``None``.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from eatrack_edge.core.errors import EngineMismatch, InputError
from eatrack_edge.core.io import sha256, write_whole
from eatrack_edge.core.model_spec import stem_of
from eatrack_edge.inference.onnx_metadata import graph_sha256

SCHEMA = "eatrack-edge-engine/1"


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What TensorRT ties an engine to. ``tensorrt`` and ``sm`` must be equal for an engine to load."""

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
    """What an engine is, and the checkpoint and graph it was built from."""

    model_spec: dict[str, str]  # ModelSpec.to_metadata()
    precision: str  # fp32, fp16, int8 or int8-fp16
    checkpoint_sha256: str  # of the weights' file; empty when there was none
    graph_sha256: str  # of the ONNX file together with its weights
    engine_sha256: str
    fingerprint: Fingerprint  # of the machine that built it
    built_at: str  # UTC, ISO 8601
    command: str  # builds it again
    builds: int = 1  # engines that were built, of which the fastest was kept
    latencies_ms: tuple[float, ...] = ()  # median of each of them, ms; empty after a single build
    parity: dict[str, float] = field(default_factory=dict)  # output to largest difference from ONNX, if compared
    tool_version: str = ""  # eatrack-edge that built it
    schema: str = SCHEMA


def manifest_path(engine: Path) -> Path:
    """The file of an engine's manifest."""
    return engine.with_name(engine.name + ".json")


def read_manifest(engine: Path) -> Manifest:
    """The manifest beside ``engine``.

    Raises:
        InputError: There is none, or it cannot be read.
    """
    path = manifest_path(engine)
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except FileNotFoundError:
        raise InputError(f"{engine}: has no manifest, {path.name}, beside it", hint=_build(engine)) from None
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not a manifest: {error}", hint=_build(engine)) from error
    if manifest.schema != SCHEMA:
        raise InputError(f"{path}: `schema` is {manifest.schema!r}, this version reads {SCHEMA!r}", hint=_build(engine))
    return manifest


def write_manifest(engine: Path, manifest: Manifest) -> Path:
    """Write the manifest beside ``engine``, whole or not at all.

    Raises:
        OutputError: It cannot be written.
    """
    path = manifest_path(engine)
    write_whole(path, msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n")
    return path


def check_file(engine: Path, manifest: Manifest) -> None:
    """Refuse an engine whose bytes are not those that were built.

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
    """Refuse an engine that this machine cannot run, or that was built from another graph.

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


def _build(engine: Path) -> str:
    model = engine.name.partition(".")[0]
    return f"build the engine again on this machine: eatrack-edge build {model}"
