from __future__ import annotations

import re
from pathlib import Path

import pytest

from eatrack_edge import __version__

ROOT = Path(__file__).parents[2]
FORMS = [*sorted((ROOT / ".github").rglob("*.yml")), ROOT / "CITATION.cff", ROOT / "mkdocs.yml"]


def test_the_version_is_the_same_everywhere() -> None:
    assert f"\nversion: {__version__}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\n## [{__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_workflow_runs_what_ci_runs() -> None:
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    assert re.findall(r"- run: (.*)", workflow) == [".ci/run"]


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.name)
def test_a_form_is_valid_yaml(path: Path) -> None:
    yaml = pytest.importorskip("yaml")
    assert yaml.safe_load(path.read_text(encoding="utf-8"))


def test_every_page_is_in_the_navigation() -> None:
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    pages = [str(path.relative_to(ROOT / "docs")) for path in (ROOT / "docs").rglob("*.md")]
    assert [page for page in pages if f": {page}\n" not in navigation] == []


def test_every_training_recipe_is_on_the_page() -> None:
    page = (ROOT / "docs" / "train.md").read_text(encoding="utf-8")
    recipes = [path.stem.removeprefix("train_") for path in (ROOT / "export" / "recipes").glob("train_*.toml")]
    assert [recipe for recipe in recipes if f"`{recipe}`" not in page] == []


def test_every_dataset_is_on_the_page() -> None:
    from eatrack_edge.datasets.registry import DATASETS

    page = (ROOT / "docs" / "evaluate.md").read_text(encoding="utf-8")
    assert [name for name in DATASETS.names() if f"`{name}`" not in page] == []


def test_every_option_of_track_is_explained() -> None:
    import typer

    from eatrack_edge.cli import app

    page = (ROOT / "docs" / "track.md").read_text(encoding="utf-8")
    options = typer.main.get_command(app).commands["track"].params  # type: ignore[attr-defined]
    names = {name for option in options for name in option.opts if name.startswith("--")} - {"--help"}
    unexplained = {name for name in names if f"`{name}`" not in page and f"`--no-{name[2:]}`" not in page}
    assert unexplained <= {"--output"}  # is called -o there


def test_every_extra_is_on_the_page() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    table = re.search(r"\[project.optional-dependencies\]\n(.*?)\n\[", project, re.DOTALL)
    assert table
    page = (ROOT / "docs" / "quickstart.md").read_text(encoding="utf-8")
    extras = set(re.findall(r"^([\w-]+) = ", table[1], re.MULTILINE)) - {"trt-ci", "test"}  # for tests alone
    assert [extra for extra in sorted(extras) if f"| `{extra}` |" not in page] == []
