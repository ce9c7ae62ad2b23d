"""Puts the resource folders (recipes, cards, devices, suites) into wheels, all under ``eatrack_edge/_resources``."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# Exact folders: force-include does not look at .gitignore, and built engines must not ship.
RESOURCES = ("export/recipes", "export/cards", "benchmarks/published", "benchmarks/suites", "engines/devices")


class ResourcesHook(BuildHookInterface[Any]):
    """Adds the resource folders to a wheel; an editable install reads the checkout's own."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Name the folders to add."""
        if version == "editable":
            return
        for folder in RESOURCES:
            if (Path(self.root) / folder).is_dir():
                build_data["force_include"][str(Path(self.root) / folder)] = f"eatrack_edge/_resources/{folder}"
