"""The README as a front door; its commands and code run in tests/docs/test_pages.py."""

from __future__ import annotations

import re
from pathlib import Path

from docs.pages import blocks

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
LINES = README.read_text(encoding="utf-8").splitlines()


def test_the_readme_opens_with_the_two_commands() -> None:
    first = blocks(README)[0]
    assert [command.split("  ")[0] for command in first.commands] == ["make demo", "make test"]


def test_the_readme_has_at_most_120_lines_of_at_most_160_characters() -> None:
    assert len(LINES) <= 120
    assert [line for line in LINES if len(line) > 160] == []


def test_no_paragraph_of_the_readme_is_longer_than_three_lines() -> None:
    prose = re.sub(r"^```.*?^```", "", "\n".join(LINES), flags=re.MULTILINE | re.DOTALL)
    paragraphs = [paragraph.splitlines() for paragraph in re.split(r"\n\s*\n", prose)]
    long = [lines[0] for lines in paragraphs if len(lines) > 3 and not re.match(r"\||-|\d\.", lines[0])]
    assert long == []


def test_the_picture_is_an_animation_under_2_mb() -> None:
    picture = ROOT / "docs" / "images" / "scene.webp"
    assert f"]({picture.relative_to(ROOT)})" in README.read_text(encoding="utf-8")
    content = picture.read_bytes()
    assert len(content) < 2e6
    assert b"ANIM" in content[:64]
