"""Reads suites, TOML files that name the trackers and the sequences of an evaluation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from eatrack_edge.core import config
from eatrack_edge.core.errors import ConfigError, UsageError, did_you_mean
from eatrack_edge.core.resources import resource_folder
from eatrack_edge.datasets.spliced import Splice
from eatrack_edge.evaluation.protocol import DEFAULT_PROTOCOL, PROTOCOLS


@dataclass(frozen=True, slots=True)
class Suite:
    """Which trackers to run on which data; the command names the folder of the data."""

    kind: str  # of dataset, as --dataset takes it
    trackers: tuple[str, ...]  # as --tracker takes them
    protocol: str = DEFAULT_PROTOCOL
    first_pixel: int = 0  # for `videos` and `images`: the coordinate of the first pixel in the annotations
    sequences: tuple[str, ...] = ()  # run exactly these; empty: all
    splice: Splice | None = None  # cut the sequences into each other; None: run them as they are

    def __post_init__(self) -> None:
        if not self.trackers:
            raise ConfigError("trackers must name at least one tracker")
        if self.protocol not in PROTOCOLS:
            hint = did_you_mean(self.protocol, PROTOCOLS, "")
            raise ConfigError(f"protocol must be one of {', '.join(PROTOCOLS)}, got `{self.protocol}`", hint=hint)
        if self.first_pixel not in (0, 1):
            raise ConfigError(f"first_pixel must be 0 or 1, got {self.first_pixel}")


def load_suite(name: str) -> Suite:
    """Read a suite by its name in ``benchmarks/suites``, or by its path.

    Raises:
        UsageError: There is no such suite.
        ConfigError: The file is not valid; the message names the place.
    """
    if name.endswith(".toml"):
        return config.load(Suite, Path(name))
    folder = resource_folder("benchmarks/suites")
    if not (folder / f"{name}.toml").is_file():
        known = sorted(path.stem for path in folder.glob("*.toml"))
        hint = did_you_mean(name, known, "known suites: {}; or give a path to a .toml file")
        raise UsageError(f"no suite called `{name}`", hint=hint)
    return config.load(Suite, folder / f"{name}.toml")
