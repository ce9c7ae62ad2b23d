from __future__ import annotations

import ast
import importlib.util
import sys
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

import eatrack_edge
from eatrack_edge.core import errors
from eatrack_edge.core.errors import EATrackError

ROOT = Path(__file__).parents[2]
PACKAGE = Path(eatrack_edge.__file__).parent


@pytest.fixture(scope="module")
def catalogue() -> ModuleType:
    spec = importlib.util.spec_from_file_location("error_catalogue", ROOT / "docs" / "error_catalogue.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["error_catalogue"] = module
    spec.loader.exec_module(module)
    return module


@cache
def kinds() -> set[str]:
    return {name for name in dir(errors) if isinstance(getattr(errors, name), type)} - {"Iterable"}


def test_every_error_that_is_raised_with_a_message_is_in_the_table(catalogue: ModuleType) -> None:
    listed = {(message.module, message.error) for message in catalogue.messages()}
    listed_anywhere = {(message.error, message.text) for message in catalogue.messages()}
    assert len(listed_anywhere) == len(catalogue.messages())
    missing: list[tuple[str, int]] = []
    for path in sorted(PACKAGE.rglob("*.py")):
        module = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        missing += [
            (module, node.lineno)
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Raise)
            and isinstance(node.exc, ast.Call)
            and isinstance(node.exc.func, ast.Name)
            and node.exc.func.id in kinds()
            and node.exc.args
            and isinstance(node.exc.args[0], ast.Constant)
            and (node.exc.func.id, node.exc.args[0].value) not in listed_anywhere
        ]
    assert missing == []
    assert {error for _, error in listed} <= kinds()


def test_every_message_has_a_cure(catalogue: ModuleType) -> None:
    assert [message.text for message in catalogue.messages() if not message.cure] == []


def test_every_message_can_be_recognised(catalogue: ModuleType) -> None:
    """A pattern that is nothing but placeholders would help nobody."""
    bare = [message for message in catalogue.messages() if len(message.text) - message.text.count("\u2039") * 3 < 4]
    assert bare == []


def test_the_exit_codes_are_those_of_the_errors(catalogue: ModuleType) -> None:
    for message in catalogue.messages():
        kind: type[EATrackError] = getattr(errors, message.error)
        assert message.exit_code == kind.exit_code, message


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        pytest.param("update before init: there is no target yet", "call init(frame, box) first", id="own hint"),
        pytest.param("\u2039path\u203a: already there", "--overwrite replaces it", id="placeholder"),
        pytest.param("--alone and --vs exclude each other", "Correct the command", id="cure of its kind"),
    ],
)
def test_a_message_stands_beside_its_cure(catalogue: ModuleType, text: str, cure: str) -> None:
    assert any(message.text == text and message.cure.startswith(cure) for message in catalogue.messages())


def test_a_message_in_the_table_is_one_row(catalogue: ModuleType) -> None:
    rows = [line for line in catalogue.table().splitlines() if line.startswith("| `")]
    assert len(rows) == len(catalogue.messages())
