from __future__ import annotations

import doctest
from importlib import import_module
from pathlib import Path

import pytest

import eatrack_edge

PACKAGE = Path(eatrack_edge.__file__).parent
WITH_EXAMPLES = [path for path in sorted(PACKAGE.rglob("*.py")) if ">>> " in path.read_text(encoding="utf-8")]


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")


@pytest.mark.parametrize("path", WITH_EXAMPLES, ids=module_name)
def test_the_examples_of_a_docstring_answer_what_it_says(path: Path) -> None:
    assert doctest.testmod(import_module(module_name(path))).failed == 0, "standard output tells the difference"
