"""Puts the material (recipes, cards, devices, suites) into wheels, under one folder that an uninstall removes whole."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# Exact folders: force-include does not look at .gitignore, and built engines must not ship.
MATERIAL = ("export/recipes", "export/cards", "benchmarks/published", "benchmarks/suites", "engines/devices")


class MaterialHook(BuildHookInterface[Any]):
    """Adds the material to a wheel; an editable install reads the checkout's own."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Name the folders to add."""
        if version == "editable":
            return
        for folder in MATERIAL:
            if (Path(self.root) / folder).is_dir():
                build_data["force_include"][str(Path(self.root) / folder)] = f"eatrack_edge/_material/{folder}"
