"""Finds the resource files: recipes, cards, devices and suites, and the bundled weights and graphs."""

from __future__ import annotations

from pathlib import Path

from eatrack_edge.core.errors import UsageError, did_you_mean

PACKAGE = Path(__file__).parents[1]
DEFAULT_MODEL = "eatrack_s"


def resource_folder(folder: str) -> Path:
    """A folder of resources, e.g. ``export/recipes``: the checkout's own, else the wheel's copy.

    Raises:
        UsageError: Neither exists.
    """
    for root in (PACKAGE.parent, PACKAGE / "_resources"):
        # In a wheel the package's parent is site-packages, where another project's `export` folder may lie.
        is_checkout = root == PACKAGE.parent and (root / "hatch_build.py").is_file()
        if (is_checkout or root != PACKAGE.parent) and (root / folder).is_dir():
            return root / folder
    raise UsageError(
        f"the folder `{folder}` is not installed", hint="reinstall eatrack-edge from its wheel or checkout"
    )


def recipe_path(name: str) -> Path:
    """The export recipe called ``name``, or the path itself where ``name`` is a TOML file.

    Raises:
        UsageError: There is no such recipe.
    """
    if name.endswith(".toml"):
        return Path(name)
    folder = resource_folder("export/recipes")
    path = folder / f"{name}.toml"
    if not path.is_file():
        # Training recipes lie beside them and are named after what they train.
        known = sorted(found.stem for found in folder.glob("*.toml") if not found.stem.startswith("train_"))
        raise UsageError(f"no recipe called `{name}`", hint=did_you_mean(name, known, "known recipes: {}"))
    return path


def bundled(name: str) -> Path | None:
    """A file that ships inside the package, in ``eatrack_edge/weights``; ``None`` if it does not."""
    path = PACKAGE / "weights" / name
    return path if path.is_file() else None


def bundled_models() -> list[str]:
    """Names of the models that track without any download."""
    graphs = (path.name.removesuffix(".track.onnx") for path in (PACKAGE / "weights").glob("*.track.onnx"))
    return sorted(name for name in graphs if "." not in name)  # eatrack_s.fp16 is eatrack_s in another precision
