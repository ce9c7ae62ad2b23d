"""Refuses graphs that do not fit each other or their own metadata, before a frame meets them."""

from __future__ import annotations

from pathlib import Path

from eatrack_edge.core.errors import InputError
from eatrack_edge.core.model_spec import ModelSpec, TensorSpec

Found = list[tuple[str, tuple[int, ...]]]  # name and shape of each tensor, in the graph's order


def check_file(graph: Path) -> None:
    """Refuse a path that is no file.

    Raises:
        InputError: There is none.
    """
    if not graph.is_file():
        raise InputError(f"{graph}: no such graph", hint=f"make it: eatrack-edge export CHECKPOINT -o {graph.parent}")


def check_same_export(template: ModelSpec, track: ModelSpec, template_graph: Path, track_graph: Path) -> None:
    """Refuse two graphs whose metadata differ.

    Raises:
        InputError: They do.
    """
    if template != track:
        raise InputError(
            f"{template_graph.name} and {track_graph.name} come from different exports",
            hint="export both again: eatrack-edge export",
        )


def check_tensors(found: Found, wanted: tuple[TensorSpec, ...], graph: Path) -> None:
    """Refuse a graph whose inputs or outputs are not what its metadata says, in name, shape or order.

    Raises:
        InputError: They are not.
    """
    expected = [(spec.name, spec.shape) for spec in wanted]
    if found != expected:
        raise InputError(
            f"{graph}: holds {found}, its model specification says {expected}",
            hint="export it again: eatrack-edge export",
        )
