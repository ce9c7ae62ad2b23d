from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer

from cli.conftest import Finished
from docs.pages import MARKS, NOT_RUN, PAGES, ROOT, Block, blocks, name
from eatrack_edge.benchmarks.measure import latency
from eatrack_edge.cli import app
from eatrack_edge.core.registry import Registry
from eatrack_edge.core.resources import bundled
from eatrack_edge.sources.synthetic import SyntheticSource

pytest_plugins = ["cli.conftest"]
pytestmark = pytest.mark.usefixtures("opened_once")

FRAMES = 4
ALL = [pytest.param(page, block, id=f"{name(page)}:{block.line}") for page in PAGES for block in blocks(page)]
LEFT_OUT = [pytest.param(*case.values, id=case.id) for case in ALL if case.values[1].marks & set(NOT_RUN)]


def pages_with(is_wanted: Callable[[Block], bool]) -> list[Any]:
    return [pytest.param(page, id=name(page)) for page in PAGES if any(is_wanted(block) for block in blocks(page))]


def pages_with_new_torch_commands() -> list[Any]:
    """An export takes seconds: a command that several pages show is run on one of them, the README last."""
    pages, shown = [], set[str]()
    for page in sorted(PAGES, key=lambda page: page.name == "README.md"):
        commands = {command for block in blocks(page) if needs_torch(block) for command in block.commands}
        if commands - shown:
            pages.append(pytest.param(page, id=name(page)))
        shown |= commands
    return pages


def is_fast(block: Block) -> bool:
    return not block.marks


def needs_torch(block: Block) -> bool:
    return block.marks == {"torch"}


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that the pages name: a video, its frames, true boxes, results, and a checkpoint."""
    import cv2

    from eatrack_edge import RunInfo, open_output
    from eatrack_edge.outputs.base import FrameRecord

    made = tmp_path_factory.mktemp("material")
    for folder in ("frames", "clips", "truth", "results"):
        (made / folder).mkdir()
    for path in ("clips/video.txt", "truth/video.txt", "results/video.txt"):
        np.savetxt(made / path, [(255, 230, 64, 48)] * FRAMES, delimiter=",")
    spots = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    frame = cv2.resize(spots, (640, 480)).astype(np.uint8, copy=False)
    video = open_output(made / "video.mp4", RunInfo("video", 30.0))
    for index in range(FRAMES):
        video.write(FrameRecord(index, index / 30, None, 0.0), frame)
        cv2.imwrite(str(made / f"frames/{index:04d}.jpg"), frame)
    video.finish(None)
    shutil.copy(made / "video.mp4", made / "clips")
    return made


@pytest.fixture
def folder(material: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A reader's own folder with that in it, to run code in."""
    shutil.copytree(material, tmp_path, dirs_exist_ok=True)
    shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=shutil.ignore_patterns("__pycache__"))
    weights = bundled("eatrack_s.safetensors")
    assert weights is not None
    (tmp_path / "checkpoint.safetensors").symlink_to(weights)
    monkeypatch.chdir(tmp_path)
    shortest = latency.Plan(iterations=2, duration_s=0)  # nobody looks at these figures
    monkeypatch.setattr(latency, "Plan", lambda *_: shortest)
    monkeypatch.setattr(latency, "WARM_BLOCKS", 1)
    # Of test://: a smaller scene is drawn sooner, and fewer frames are tracked sooner.
    for option, value in (("width", 160), ("height", 120), ("frames", 5)):
        monkeypatch.setitem(SyntheticSource.__init__.__kwdefaults__, option, value)
    return tmp_path


@pytest.fixture
def forget(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing that a page registers outlives it."""
    added: list[tuple[Registry[Any], str]] = []
    register = Registry.register

    def remember(self: Registry[Any], name: str) -> Any:
        added.append((self, name))
        return register(self, name)

    monkeypatch.setattr(Registry, "register", remember)
    yield
    for registry, key in added:
        registry.unregister(key)


def execute(page: Path, wanted: Callable[[Block], bool], run: Callable[..., Finished]) -> None:
    """Run a page's blocks in order, as a reader would who types them one after the other."""
    names: dict[str, Any] = {"__name__": "page"}
    for block in blocks(page):
        if not wanted(block):
            continue
        if block.language == "python":
            # Lines are counted as in the page, so a traceback leads there.
            exec(compile("\n" * (block.line - 1) + block.text, name(page), "exec"), names)
            continue
        for command in block.commands:
            program, *arguments = shlex.split(command)
            assert program == "eatrack-edge", f"{name(page)}:{block.line}: `{command}` needs a mark: {sorted(MARKS)}"
            done = run(*arguments)
            assert done.code == 0, f"{command}\n{done.err}"


@pytest.mark.parametrize("page", pages_with(is_fast))
@pytest.mark.usefixtures("folder", "forget")
def test_the_code_of_a_page_runs(page: Path, run: Callable[..., Finished]) -> None:
    execute(page, is_fast, run)


@pytest.mark.torch
@pytest.mark.parametrize("page", pages_with_new_torch_commands())
@pytest.mark.usefixtures("folder", "forget")
def test_the_code_of_a_page_that_needs_torch_runs(page: Path, run: Callable[..., Finished]) -> None:
    execute(page, needs_torch, run)


@pytest.mark.parametrize(("page", "block"), LEFT_OUT)
def test_a_block_that_cannot_run_here_names_commands_and_options_that_exist(page: Path, block: Block) -> None:
    if block.language == "python":
        compile(block.text, name(page), "exec")
        return
    for command in block.commands:
        words = [word for word in shlex.split(command) if "=" not in word.partition(" ")[0] or word.startswith("-")]
        if "eatrack-edge" in words:
            parse(words[words.index("eatrack-edge") + 1 :])


def parse(arguments: list[str]) -> None:
    """Parse a command line without running it."""
    command = typer.main.get_command(app)
    while getattr(command, "commands", None) and arguments and arguments[0] in command.commands:
        command, arguments = command.commands[arguments[0]], arguments[1:]
    command.make_context("eatrack-edge", list(arguments))


@pytest.mark.parametrize(("page", "block"), ALL)
def test_every_mark_has_a_meaning(page: Path, block: Block) -> None:
    assert block.marks <= MARKS, f"{name(page)}:{block.line}"


def test_what_is_not_run_is_listed_with_its_reason(record_property: Callable[[str, object], None]) -> None:
    for case in LEFT_OUT:
        _, block = case.values
        reasons = [NOT_RUN[mark] for mark in sorted(block.marks & set(NOT_RUN))]
        record_property(str(case.id), "; ".join(reasons))
    # Most of the pages is run: blocks move to the right-hand side only on purpose.
    assert len(LEFT_OUT) <= len(ALL) / 2, [case.id for case in LEFT_OUT]


PROSE = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "export/**/*.md", "engines/*.md", "benchmarks/*.md", "docker/*.md")
    for path in ROOT.glob(pattern)
)


@pytest.mark.parametrize("path", PROSE, ids=name)
def test_every_link_to_a_file_leads_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", path.read_text(encoding="utf-8")):
        generated = {"contributing.md": "../CONTRIBUTING.md", "changelog.md": "../CHANGELOG.md"}
        assert (path.parent / generated.get(target, target)).exists(), target
