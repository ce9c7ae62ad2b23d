"""The dataset layouts by name, as ``eatrack-edge eval --dataset NAME FOLDER`` and training recipes take them."""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from pathlib import Path

from eatrack_edge.core.errors import InputError
from eatrack_edge.core.registry import Registry
from eatrack_edge.datasets.sequence import Dataset

# Reads the layout below a root. A reader may have a second parameter, `first_pixel`: what annotations call the
# first pixel, 0 or 1; the other readers know it from the dataset.
DatasetReader = Callable[..., Dataset]

DATASETS: Registry[DatasetReader] = Registry(
    "dataset",
    {
        "uav123": "eatrack_edge.datasets.uav123:uav123",
        "uav123_10fps": "eatrack_edge.datasets.uav123:uav123_10fps",
        "uav20l": "eatrack_edge.datasets.uav123:uav20l",
        "dtb70": "eatrack_edge.datasets.dtb70:dtb70",
        "uavdt": "eatrack_edge.datasets.uavdt:uavdt",
        "visdrone2018": "eatrack_edge.datasets.visdrone:visdrone2018",
        "uavtrack112": "eatrack_edge.datasets.uavtrack112:uavtrack112",
        "uavtrack112_l": "eatrack_edge.datasets.uavtrack112:uavtrack112_l",
        "otb100": "eatrack_edge.datasets.otb100:otb100",
        "lasot": "eatrack_edge.datasets.lasot:lasot",
        "got10k": "eatrack_edge.datasets.got10k:got10k",
        "videos": "eatrack_edge.datasets.plain_folders:videos",
        "images": "eatrack_edge.datasets.plain_folders:images",
        "scenes": "eatrack_edge.datasets.scenes:scenes",
    },
)


def open_dataset(name: str, root: Path, first_pixel: int = 0) -> Dataset:
    """Find the sequences of a dataset on disk. Annotations are read later, one sequence at a time.

    Args:
        name: A name in ``DATASETS``.
        root: The dataset's own root.
        first_pixel: For ``videos`` and ``images``: what their annotations call the first pixel, 0 or 1.

    Raises:
        UsageError: There is no such dataset.
        InputError: The folder is not laid out as expected; the message says what was expected where.
    """
    reader = DATASETS.get(name)
    if not root.is_dir():
        raise InputError(f"expected the {name} dataset at {root}, there is no such folder")
    return reader(root, first_pixel) if "first_pixel" in signature(reader).parameters else reader(root)
