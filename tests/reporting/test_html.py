from __future__ import annotations

import sys
from pathlib import Path

import pytest

from eatrack_edge.core.errors import MissingExtra
from eatrack_edge.reporting import html
from eatrack_edge.reporting.html import write_html
from eatrack_edge.reporting.svg import Chart


@pytest.fixture
def templates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of templates of the test's own, beside the package's."""
    monkeypatch.setattr(html, "_TEMPLATES", [tmp_path, html._TEMPLATES])
    html._environment.cache_clear()
    return tmp_path


@pytest.fixture(autouse=True)
def _forget_the_environment() -> object:
    yield
    html._environment.cache_clear()


def written(tmp_path: Path, template: str, **values: object) -> str:
    write_html(tmp_path / "page.html", template, values)
    return (tmp_path / "page.html").read_text(encoding="utf-8")


def test_texts_are_escaped_and_charts_are_not(templates: Path) -> None:
    (templates / "one.html.j2").write_text("<p>{{ text }}</p>{{ chart }}")
    chart = Chart("c", 10).svg()
    assert written(templates, "one", text="a<b>", chart=chart) == f"<p>a&lt;b&gt;</p>{chart}"


def test_a_section_without_content_has_no_heading(templates: Path) -> None:
    (templates / "two.html.j2").write_text(
        '{% extends "page.html.j2" %}{% import "parts.html.j2" as parts %}{% block body %}'
        '{% call parts.section("Full", "why") %}x{% endcall %}{% call parts.section("Empty") %}  {% endcall %}{% endblock %}'
    )
    page = written(templates, "two", title="T & U")
    assert "<h2>Full</h2>" in page
    assert '<p class="quiet">why</p>' in page
    assert "Empty" not in page
    assert page.startswith("<!doctype html>")
    assert "<title>T &amp; U</title>" in page


def test_a_value_that_the_page_forgot_is_an_error_and_not_a_hole(templates: Path) -> None:
    (templates / "three.html.j2").write_text("{{ forgotten }}")
    with pytest.raises(Exception, match="'forgotten' is undefined"):
        written(templates, "three")


def test_without_jinja2_the_error_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    html._environment.cache_clear()
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(MissingExtra) as caught:
        write_html(tmp_path / "page.html", "page", {})
    assert str(caught.value) == (
        "cannot write an HTML page: jinja2 is not installed\nhint: pip install matplotlib jinja2"
    )
