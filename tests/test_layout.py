"""The rules of the layout that a tool can check; CONTRIBUTING says what each folder is for."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "eatrack_edge"
MODULES = sorted(PACKAGE.rglob("*.py"))

# A name may stand in several folders only where it means the same kind of thing in each.
SHARED_NAMES = {
    "__init__": "the subject of a folder",
    "__main__": "python -m",
    "base": "what every source, output or baseline offers",
    "registry": "what is known by name",
    "backend": "the protocol, and TensorRT's implementation of it",
    "parity": "how far two runtimes differ",
    "recipe": "a file that a person edits",
    "result": "what one call returns",
    "run": "one run from request to result",
    "realtime": "a file as a live camera would deliver it",
    "page": "the page of a result",
    "charts": "charts of a page",
    "video": "a video, read or written",
    "build": "ONNX to engine, and its command",
    "evaluate": "an evaluation, and its command",
    "confidence_calibration": "confidence as a probability, fitted or checked",
}
# Words that say nothing to a newcomer, each with the term of the field.
DIALECT = {
    r"what flies|that flies|as it flies|flown\b": "runtime, deployed",
    r"\bleap(s|t|ing)?\b": "jump to a distractor",
    r"\bfootage\b": "clips",
    r"\bpeers?'? (weights|trackers)\b": "baselines",
    r"\bsurer?\b (of|frame|target)": "high confidence",
    r"\bbelieved?s?\b": "applied, smoothed",
    r"\bthinned\b": "frame stride",
    r"\bmerit\b": "-",
    r"clean bill|breath decides": "-",
    r"asked wrongly": "usage error",
}


def test_no_module_name_stands_for_two_things() -> None:
    counted = Counter(path.stem for path in MODULES)
    assert {name for name, count in counted.items() if count > 1} <= SHARED_NAMES.keys()


def test_no_module_is_named_for_what_does_not_fit_elsewhere() -> None:
    assert not {"utils", "util", "common", "helpers", "misc"} & {path.stem for path in MODULES}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_says_what_it_is_and_stays_small(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert ast.get_docstring(tree), "a module begins with what it is"
    assert text.count("\n") <= 300, "a file that outgrows this has two subjects"
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            docstring = 1 if ast.get_docstring(node) else 0
            body = node.body[docstring:]
            lines = body[-1].end_lineno - body[0].lineno + 1 if body else 0  # type: ignore[operator]
            assert lines <= 40, f"{node.name} has {lines} lines"


@pytest.mark.parametrize("folder", sorted({path.parent for path in MODULES}), ids=lambda path: path.name)
def test_a_folder_says_what_it_is_for(folder: Path) -> None:
    assert ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8")))


@pytest.mark.parametrize(("pattern", "term"), DIALECT.items())
def test_the_package_and_its_pages_use_the_terms_of_the_field(pattern: str, term: str) -> None:
    pages = [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *ROOT.glob("*/README.md"),
        *ROOT.glob("export/cards/*.md"),
    ]
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in (*MODULES, *pages)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if re.search(pattern, line, re.IGNORECASE)
    ]
    assert not found, f"say {term} instead"


def test_lines_of_the_pages_are_short_enough_to_read() -> None:
    pages = [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *ROOT.glob("*/README.md"),
        *ROOT.glob("export/cards/*.md"),
    ]
    long = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in pages
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if len(line) > 400
    ]
    assert not long


def test_the_list_of_system_tests_has_every_file_that_drives_a_browser_and_none_that_is_gone() -> None:
    tests = ROOT / "tests"
    listed = re.search(r"^SYSTEM = (\{.*?^\})", (tests / "conftest.py").read_text(encoding="utf-8"), re.S | re.M)
    assert listed
    system = ast.literal_eval(listed[1])
    drives_one = re.compile(r"^from (chromium|ground\.web\.test_page) import |which\(.(chrom|google-chrome)", re.M)
    browsing = {path for path in tests.rglob("test_*.py") if drives_one.search(path.read_text(encoding="utf-8"))}
    assert {path.relative_to(tests).as_posix() for path in browsing} <= system
    assert not [name for name in system if not (tests / name).is_file()]
