"""What MkDocs does beside copying pages: it adds files that lie elsewhere, and writes the table of errors.

A page of the site may be a file outside docs/, such as a model card. Links are written as they work in the repository;
here they are turned to the site's pages, and those to files that are no page become plain text.
"""

from __future__ import annotations

import os.path
import re
import sys
from pathlib import Path, PurePosixPath
from typing import Any

from mkdocs.structure.files import File

sys.path.insert(0, str(Path(__file__).parent))
from error_catalogue import table

ROOT = Path(__file__).parents[1]
# File of the repository -> page of the site.
ELSEWHERE = {
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security.md",
    "export/cards/eatrack_s.md": "cards/eatrack_s.md",
    "export/cards/eatrack_deit.md": "cards/eatrack_deit.md",
    "export/cards/training_log.md": "cards/training_log.md",
}
PLACE_OF_ERRORS = "<!-- the table of errors -->"
_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((?!https?:|#)([^)#\s]+)(#[^)]*)?\)")
_FENCE = re.compile(r"^( *```(?:sh|python)) .*$", re.MULTILINE)


def on_files(files: Any, config: Any) -> Any:
    """Add the pages that lie elsewhere."""
    for path, page in ELSEWHERE.items():
        files.append(File.generated(config, page, abs_src_path=str(ROOT / path)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Write the table of errors, turn the links, and drop the test's marks from code blocks."""
    if PLACE_OF_ERRORS in markdown:
        markdown = markdown.replace(PLACE_OF_ERRORS, table())
    return _FENCE.sub(r"\1", _turned(markdown, page.file.src_uri))


def _turned(markdown: str, uri: str) -> str:
    sources = {page: path for path, page in ELSEWHERE.items()}
    source = sources.get(uri, f"docs/{uri}")

    def turn(match: re.Match[str]) -> str:
        text, target, anchor = match.group(1), match.group(2), match.group(3) or ""
        path = os.path.normpath(PurePosixPath(source).parent / target)
        page = ELSEWHERE.get(path) or (path.removeprefix("docs/") if path.startswith("docs/") else None)
        if page is None:
            return text
        return f"[{text}]({os.path.relpath(page, PurePosixPath(uri).parent)}{anchor})"

    return _LINK.sub(turn, markdown)
