"""The code blocks of the documentation, and what they need."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PAGES = [
    *(ROOT / folder / "README.md" for folder in ("", "export", "engines", "benchmarks", "docker")),
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]

# Marks after a block's language, as in ```sh jetson. A block with one of these is not run, for this reason.
NOT_RUN = {
    "jetson": "needs a Jetson board",
    "gpu": "needs an NVIDIA GPU",
    "camera": "needs a camera or a stream; tests/sources has real servers and simulated cameras",
    "docker": "needs Docker; tests/docker checks the files",
    "checkout": "changes files of the checkout; a test compares what it writes",
    "data": "needs files that are not in the repository",
    "install": "installs packages; tests/test_install.py installs the package",
    "slow": "takes minutes; a test of the command itself runs it on less",
}
MARKS = {*NOT_RUN, "torch"}
# The same for one line of a block, in its comment.
COMMENTS = {"# needs PyTorch": "torch", "# on the Jetson": "jetson"}
_BLOCK = re.compile(r"^```(sh|python)([^\n]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """One code block.

    Attributes:
        language: ``sh`` or ``python``.
        marks: What it needs.
        text: The code.
        line: Where its text begins in the page.
    """

    language: str
    marks: frozenset[str]
    text: str
    line: int

    @property
    def commands(self) -> list[str]:
        """Lines of a ``sh`` block without comments; continued lines are joined."""
        lines = self.text.replace("\\\n", " ").splitlines()
        return [line.partition("  #")[0].strip() for line in lines if line.strip() and not line.startswith("#")]


def blocks(page: Path) -> list[Block]:
    """The code blocks of a page in order."""
    text = page.read_text(encoding="utf-8")
    found = []
    for match in _BLOCK.finditer(text):
        line, marks = text[: match.start(3)].count("\n") + 1, frozenset(match[2].split())
        block = Block(match[1], marks, match[3], line)
        marked = [(number, COMMENTS[key]) for number, key in enumerate(map(_comment, block.text.splitlines())) if key]
        if not marked:
            found.append(block)
            continue
        lines = block.text.splitlines()
        marks_of = dict(marked)
        for number, command in enumerate(lines):
            more = {marks_of[number]} if number in marks_of else set()
            found.append(Block(block.language, marks | more, command + "\n", line + number))
    return found


def _comment(line: str) -> str:
    """The key of COMMENTS with which the line's comment begins; empty where it has none."""
    return next((key for key in COMMENTS if key in line), "")


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))
