"""Shows the doctest that ends a docstring as an example; without this Markdown would read it as text."""

from __future__ import annotations

import re
import textwrap
from typing import Any

import griffe

_DOCTEST = re.compile(r"\n\n(>>> .*)\Z", re.DOTALL)


class Doctests(griffe.Extension):
    """A griffe extension, named in mkdocs.yml."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Put the doctest under ``Examples:``."""
        if obj.docstring:
            obj.docstring.value = _DOCTEST.sub(_as_examples, obj.docstring.value.rstrip())


def _as_examples(match: re.Match[str]) -> str:
    return "\n\nExamples:\n" + textwrap.indent(match.group(1), "    ")
