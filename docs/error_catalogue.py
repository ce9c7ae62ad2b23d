"""Collects every error message of the package with its cure, from the source, for the page Troubleshooting.

A message is found where an error of the tree in ``eatrack_edge/core/errors.py`` is made. What the source fills in, such
as ``{path}``, becomes a placeholder. The cure is the error's own hint, or else the cure of its kind and room.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

PACKAGE = Path(__file__).parents[1] / "eatrack_edge"
NEAREST = "the hint names the nearest known name, or lists all of them"
UNNAMED = "…"
OPENING, CLOSING = "\u2039", "\u203a"  # around a placeholder

# For messages without a hint of their own: by error and room, else by error.
CURES = {
    "EATrackError": "Read the lines above the message: they come from the program that failed.",
    "ConfigError": "Correct the value in the file or setting that the message names; the allowed range is in it.",
    "CheckpointError": "Check that `--model` names the network that the checkpoint was trained as.",
    "EngineMismatch": "Build the engine again on the machine that runs it: `eatrack-edge build`.",
    "GateFailed": "Read the figures in the message; a graph that is worse than allowed is not written.",
    "InputError": "Check that the file or value named in the message is what it should be.",
    "InputError benchmarks": "Compare the command or file with [Benchmark honestly](benchmark.md).",
    "InputError core": "Correct the value: boxes, frames and crops are described in [Python API](python.md).",
    "InputError train": "Compare the data folder and the recipe with [Train](train.md).",
    "InputError datasets": "Compare the folder with the layouts in [Evaluate](evaluate.md).",
    "InputError evaluation": "Compare the folders and files with [Evaluate](evaluate.md).",
    "InputError inference": "Export the graphs again: `eatrack-edge export`.",
    "InputError sources": "Check the path or URI; the kinds of source are in [Track a video](track.md).",
    "InputError tracking": "Give a box that covers the target inside the frame, and frames of one size.",
    "InputError engines": "Export the graphs again with this version: `eatrack-edge export`.",
    "MachineError": "Look at the machine: `eatrack-edge doctor`.",
    "MissingExtra": "Install the package that the message names.",
    "OutputError": "Check the disk and the folder's permissions, or write elsewhere.",
    "SourceLost": "The frames before the failure were written; check the file or camera, and go on with `--start`.",
    "UsageError": "Correct the command or call as the message says; `--help` lists the options.",
}


class Message(NamedTuple):
    """One message of the package."""

    error: str  # name of its class
    exit_code: int
    text: str  # with placeholders
    cure: str  # Markdown
    place: str  # module and line, such as tracking.tracker:84; the first where it is made more than once


@cache
def places(package: Path = PACKAGE) -> list[Message]:
    """Every place where an error is made with a text of its own."""
    exit_codes = _error_tree(package / "core" / "errors.py")
    kinds = {name: name for name in exit_codes} | _subclasses(package, set(exit_codes))
    return [
        message for path in sorted(package.rglob("*.py")) for message in _in_module(path, package, kinds, exit_codes)
    ]


def messages(package: Path = PACKAGE) -> list[Message]:
    """All messages, by error and text, each once."""
    found: dict[tuple[str, str], Message] = {}
    for message in places(package):
        found.setdefault((message.error, message.text), message)
    return sorted(found.values(), key=lambda message: (message.exit_code, message.error, message.text.lower()))


def table(package: Path = PACKAGE) -> str:
    """All messages as Markdown: a section for each error, with the exit code, and a table in it."""
    lines: list[str] = []
    last = ""
    for message in messages(package):
        if message.error != last:
            last = message.error
            lines += ["", f"### {last}: exit code {message.exit_code}", "", "| message | what to do |", "|---|---|"]
        lines.append(f"| {_as_code(message.text)} | {message.cure.replace('|', '&#124;')} |")
    return "\n".join(lines).strip() + "\n"


def _error_tree(path: Path) -> dict[str, int]:
    """Names of all errors with their exit codes."""
    codes: dict[str, int] = {}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if not isinstance(node, ast.ClassDef):
            continue
        bases = [base.id for base in node.bases if isinstance(base, ast.Name)]
        inherited = next((codes[base] for base in bases if base in codes), None)
        own = [
            statement.value.value
            for statement in node.body
            if isinstance(statement, ast.Assign)
            and isinstance(statement.targets[0], ast.Name)
            and statement.targets[0].id == "exit_code"
            and isinstance(statement.value, ast.Constant)
        ]
        if own or inherited is not None:
            codes[node.name] = int(own[0]) if own else int(inherited or 1)
    return codes


def _subclasses(package: Path, kinds: set[str]) -> dict[str, str]:
    """Errors that a module defines for itself, with the one of the tree that each is a kind of."""
    return {
        node.name: base.id
        for path in sorted(package.rglob("*.py"))
        if path.name != "errors.py"
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef)
        for base in node.bases
        if isinstance(base, ast.Name) and base.id in kinds
    }


def _in_module(path: Path, package: Path, kinds: dict[str, str], exit_codes: dict[str, int]) -> Iterator[Message]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    module = ".".join(path.relative_to(package).with_suffix("").parts)
    room = module.partition(".")[0]
    top = _imported(tree, package) | _assignments(tree.body)
    for owner in _scopes(tree):
        names = top | _assignments(list(ast.walk(owner)))
        for node in _own_nodes(owner):
            error = _made(node, kinds)
            if error is None or not node.args:
                continue
            text = _text(node.args[0], names).strip()
            if text.strip(UNNAMED + " :") == "":
                continue  # passes on a message that was made elsewhere
            hint = next((keyword.value for keyword in node.keywords if keyword.arg == "hint"), None)
            cure = _hint(hint, names) if hint is not None else ""
            cure = cure or CURES.get(f"{error} {room}") or CURES.get(error, "")
            yield Message(error, exit_codes[error], text, cure, f"{module}:{node.lineno}")


def _imported(tree: ast.Module, package: Path) -> dict[str, ast.expr]:
    """Constants that a module takes from others of the package, such as a hint that several share."""
    found = dict[str, ast.expr]()
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{package.name}."):
            constants = {alias.name for alias in node.names if alias.name.isupper()}
            path = package.joinpath(*str(node.module).split(".")[1:]).with_suffix(".py")
            if constants and path.is_file():
                theirs = _assignments(ast.parse(path.read_text(encoding="utf-8")).body)
                found |= {name: theirs[name] for name in constants if name in theirs}
    return found


def _scopes(tree: ast.Module) -> Iterator[ast.AST]:
    yield tree
    yield from (node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))


def _own_nodes(owner: ast.AST) -> Iterator[ast.Call]:
    """Calls in a scope, not those in functions inside it."""
    waiting = list(ast.iter_child_nodes(owner))
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        if isinstance(node, ast.Call):
            yield node
        waiting += ast.iter_child_nodes(node)


def _made(node: ast.Call, kinds: dict[str, str]) -> str | None:
    name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
    return kinds.get(name)


def _assignments(nodes: list[ast.stmt] | list[ast.AST]) -> dict[str, ast.expr]:
    return {
        node.targets[0].id: node.value
        for node in nodes
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name)
    }


def _text(node: ast.expr, names: dict[str, ast.expr], depth: int = 0) -> str:
    """The text of an expression, with placeholders."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part, names, depth) for part in node.values)
    if isinstance(node, ast.FormattedValue):
        value = node.value
        if isinstance(value, ast.Name) and depth < 3 and _is_text(names.get(value.id)):
            return _text(names[value.id], names, depth + 1)
        return OPENING + _placeholder(value) + CLOSING
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _text(node.left, names, depth) + _text(node.right, names, depth)
    if isinstance(node, ast.IfExp):
        return _text(node.body, names, depth) or _text(node.orelse, names, depth)
    if isinstance(node, ast.Name) and node.id in names and depth < 3:
        return _text(names[node.id], names, depth + 1)
    return UNNAMED


def _is_text(node: ast.expr | None) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _placeholder(node: ast.expr) -> str:
    """A short name for what stands in a message."""
    if isinstance(node, ast.Name):
        return node.id.replace("_", " ").strip()
    if isinstance(node, ast.Attribute):
        return node.attr.replace("_", " ").strip()
    if isinstance(node, ast.Subscript):
        return _placeholder(node.value)
    if isinstance(node, ast.Call) and node.args and isinstance(node.func, ast.Name) and node.func.id == "len":
        return f"number of {_placeholder(node.args[0])}"
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "join" and node.args:
        return _placeholder(node.args[0])
    if isinstance(node, ast.Call) and node.args:
        return _placeholder(node.args[0])
    if isinstance(node, (ast.GeneratorExp, ast.ListComp)):
        return _placeholder(node.generators[0].iter)
    if isinstance(node, ast.BinOp):
        return _placeholder(node.left) if not isinstance(node.left, ast.Constant) else _placeholder(node.right)
    return UNNAMED


def _hint(node: ast.expr, names: dict[str, ast.expr]) -> str:
    """A hint as Markdown; empty where the source does not say it."""
    if isinstance(node, ast.Name) and node.id in names:
        return _hint(names[node.id], names)
    if isinstance(node, ast.Call):
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        return NEAREST if name in ("did_you_mean", "unknown") else ""
    text = _text(node, names).strip()
    return "" if text.strip(UNNAMED) == "" else re.sub(r"<(\w)", r"&lt;\1", text)


def _as_code(text: str) -> str:
    """Inline code that may hold backticks and bars."""
    fence = "``" if "`" in text else "`"
    space = " " if fence == "``" else ""
    return f"{fence}{space}{text}{space}{fence}".replace("|", "\\|")


if __name__ == "__main__":
    print(table())
