"""HTML pages from Jinja2 templates: one self-contained file each, without scripts, links or anything to load."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from eatrack_edge.core.imports import require
from eatrack_edge.core.io import write_whole
from eatrack_edge.reporting import colours, svg

_TEMPLATES = Path(__file__).parent / "templates"


def write_html(path: Path, template: str, values: Mapping[str, Any]) -> None:
    """Render a template into a file.

    Args:
        path: The HTML file.
        template: Name of a file in ``reporting/templates``, without ``.html.j2``.
        values: What the template shows. Texts are escaped; charts (``Svg``) are inserted as they are.

    Raises:
        MissingExtra: Jinja2 is not installed.
        OutputError: The file cannot be written.
    """
    write_whole(path, _environment().get_template(f"{template}.html.j2").render(values))


@cache
def _environment() -> Any:
    jinja2 = require("jinja2", to="write an HTML page")
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals.update(colours=colours, chart_style=svg.STYLE)
    return environment
