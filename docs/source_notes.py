"""What the API pages show beside docstrings: doctests as examples, and the comments of fields as their description."""

from __future__ import annotations

import re
import textwrap
from functools import cache
from pathlib import Path
from typing import Any

import griffe

_DOCTEST = re.compile(r"\n\n(>>> .*)\Z", re.DOTALL)


class SourceNotes(griffe.Extension):
    """A griffe extension, named in mkdocs.yml."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Put a doctest under ``Examples:``, and a field's comment where its docstring would be."""
        if obj.docstring:
            obj.docstring.value = _DOCTEST.sub(_as_examples, obj.docstring.value.rstrip())
        elif obj.is_attribute and obj.parent is not None and obj.parent.is_class and obj.lineno:
            comment = _comment(_lines(Path(str(obj.filepath))), obj.lineno - 1)
            if comment and not obj.name.startswith("_"):
                obj.docstring = griffe.Docstring(comment[0].upper() + comment[1:], parent=obj)


def _as_examples(match: re.Match[str]) -> str:
    return "\n\nExamples:\n" + textwrap.indent(match.group(1), "    ")


@cache
def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def _comment(lines: list[str], number: int) -> str:
    """The comment of a field: on its line, and on the lines above it."""
    above: list[str] = []
    while number - len(above) > 0 and lines[number - len(above) - 1].strip().startswith("# "):
        above.insert(0, lines[number - len(above) - 1].strip().removeprefix("# "))
    _, mark, beside = lines[number].partition("  # ")
    return " ".join([*above, beside] if mark else above)
