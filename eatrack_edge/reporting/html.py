"""The parts that all our pages share: one file, no script, no link, nothing to load; they open anywhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, sans-serif; color: #1b1b1b; margin: 0 auto; padding: 24px; max-width: 980px; }
h1 { font-size: 26px; margin: 0 0 4px; } h2 { font-size: 19px; margin: 36px 0 8px; }
p { max-width: 46em; } .quiet, figcaption, dd { color: #5a5a5a; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: 14px; }
th, td { padding: 4px 10px; text-align: right; border-bottom: 1px solid #e4e4e4; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; padding-left: 0; } th { font-weight: 600; }
.chart { display: block; width: 100%; height: auto; margin: 6px 0; font-size: 11px; } .chart text { fill: #5a5a5a; }
.chart path { fill: none; stroke-width: 1.6; stroke-linejoin: round; } .chart .grid { stroke: #e4e4e4; }
.chart .mark { stroke: #999; stroke-dasharray: 4 3; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 16px; font-size: 14px; } dd { margin: 0; }
.wrong { background: #fdf1ee; border-left: 3px solid #d55e00; padding: 8px 12px; }
"""


def document(title: str, parts: Sequence[str], style: str = "") -> str:
    """A whole page.

    Args:
        title: Of the page, as plain text.
        parts: HTML of its body.
        style: CSS beside the shared one.
    """
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width">'
        f"<style>{STYLE}{style}</style></head><body>{''.join(parts)}</body></html>\n"
    )


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows of plain text, the first of headings."""
    head = "".join(f"<th>{escape(cell)}</th>" for cell in rows[0])
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows[1:])
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def definitions(rows: Mapping[str, object]) -> str:
    """Names and what they are, in plain text."""
    items = "".join(f"<dt>{escape(str(key))}</dt><dd>{escape(str(value))}</dd>" for key, value in rows.items())
    return f"<dl>{items}</dl>"
