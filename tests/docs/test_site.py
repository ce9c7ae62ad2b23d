"""Builds the site, where MkDocs is installed: `make docs` brings it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mkdocs")
pytest.importorskip("mkdocstrings")

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={"PATH": "", "NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_no_page_fetches_anything_from_elsewhere(site: Path) -> None:
    fetched = re.compile(r'<(?:script|link|img|iframe)\b[^>]*?\b(?:src|href)="(https?:)?//[^"]*"')
    found = [
        match.group()
        for page in site.rglob("*.html")
        for match in fetched.finditer(page.read_text(encoding="utf-8"))
        if 'rel="canonical"' not in match.group()
    ]
    assert found == []


def test_the_table_of_errors_is_on_the_page(site: Path) -> None:
    page = (site / "troubleshooting.html").read_text(encoding="utf-8")
    assert "update before init: there is no target yet" in page
    assert "call init(frame, box) first" in page


def test_the_public_names_are_described(site: Path) -> None:
    import eatrack_edge

    pages = "".join(path.read_text(encoding="utf-8") for path in (site / "api").glob("*.html"))
    assert [name for name in eatrack_edge.__all__ if name != "__version__" and name not in pages] == []
