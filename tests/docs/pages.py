"""The code blocks of the documentation, and what they need."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]

# Marks after a block's language, as in ```sh jetson. A block with one of these is not run, for this reason.
NOT_RUN = {
    "jetson": "needs a Jetson board",
    "gpu": "needs an NVIDIA GPU",
    "data": "needs files that are not in the repository",
    "install": "installs packages; tests/test_install.py installs the package",
    "slow": "takes minutes; a test of the command itself runs it on less",
}
MARKS = {*NOT_RUN, "torch"}
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
    return [
        Block(match[1], frozenset(match[2].split()), match[3], text[: match.start(3)].count("\n") + 1)
        for match in _BLOCK.finditer(text)
    ]


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))
