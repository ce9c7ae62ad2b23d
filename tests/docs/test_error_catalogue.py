from __future__ import annotations

import ast
import importlib
import importlib.util
import sys
from collections.abc import Iterator
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


def raised() -> Iterator[tuple[str, ast.Call]]:
    """Every place where the package raises one of its errors with a text, and the call that makes it."""
    for path in sorted(PACKAGE.rglob("*.py")):
        module = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        names = vars(importlib.import_module(f"eatrack_edge.{module}")) if _is_light(path) else {}
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and isinstance(node.exc.func, ast.Name):
                kind = names.get(node.exc.func.id, getattr(errors, node.exc.func.id, None))
                if isinstance(kind, type) and issubclass(kind, EATrackError) and node.exc.args:
                    yield f"{module}:{node.exc.lineno}", node.exc


def _is_light(path: Path) -> bool:
    """Whether a module is imported without PyTorch, onnx and other extras."""
    return path.relative_to(PACKAGE).parts[0] not in ("model", "train", "export", "engines", "__main__.py")


def test_every_error_that_is_raised_with_a_text_is_in_the_table(catalogue: ModuleType) -> None:
    found = {message.place for message in catalogue.places()}
    # What only passes on the text of another error has none of its own.
    missing = [place for place, made in raised() if place not in found and not _passes_on(made)]
    assert missing == []
    assert len(found) > 200


def _passes_on(made: ast.Call) -> bool:
    text = made.args[0]
    return isinstance(text, (ast.Name, ast.Attribute, ast.Call)) or (
        isinstance(text, ast.JoinedStr)
        and not "".join(str(part.value) for part in text.values if isinstance(part, ast.Constant)).strip(" :")
    )


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
        pytest.param(
            "\u2039call\u203a before init: there is no target yet", "call init(frame, box) first", id="own hint"
        ),
        pytest.param("\u2039path\u203a: already there", "--overwrite replaces it", id="placeholder"),
        pytest.param("--alone and --vs exclude each other", "Correct the command", id="cure of its kind"),
        pytest.param(
            "\u2039uri\u203a: no frame can be read: \u2039error\u203a",
            "check that it plays; ffprobe",
            id="hint of another module",
        ),
    ],
)
def test_a_message_stands_beside_its_cure(catalogue: ModuleType, text: str, cure: str) -> None:
    assert any(message.text == text and message.cure.startswith(cure) for message in catalogue.messages())


def test_a_message_in_the_table_is_one_row(catalogue: ModuleType) -> None:
    rows = [line for line in catalogue.table().splitlines() if line.startswith("| `")]
    assert len(rows) == len(catalogue.messages())
