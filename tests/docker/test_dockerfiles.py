from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from docker.dockerfiles import FILES, PYTHONS, ROOT, arguments, instructions, of, pins, pip_commands, sources

each = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
JETSON = [path for path in FILES if path.stem.startswith("jetson")]
PROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def dependencies(table: str) -> list[Requirement]:
    block = re.search(rf"^{table} = \[(.*?)\]$", PROJECT, re.MULTILINE | re.DOTALL)
    assert block
    return [Requirement(text) for text in re.findall(r'^\s*"([^"]+)"', block[1], re.MULTILINE)]


def test_the_three_images_are_there() -> None:
    assert [path.stem for path in FILES] == sorted(PYTHONS)


@each
def test_every_base_is_pinned(path: Path) -> None:
    stages: set[str] = set()
    for text in of(path, "FROM"):
        base, _, name = text.partition(" AS ")
        assert base in stages or re.fullmatch(r"[\w./-]+:[\w.-]*\d[\w.-]*", base), base
        stages.add(name)


@each
def test_nothing_runs_as_root(path: Path) -> None:
    (user,) = of(path, "USER")
    assert re.fullmatch(r"[1-9]\d+", user)
    assert f"--uid {user} " in " ".join(of(path, "RUN"))
    names = [one.name for one in instructions(path)]
    assert "RUN" not in names[names.index("USER") :]


@each
def test_what_is_copied_is_there_and_reaches_the_build(path: Path) -> None:
    allowed = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    for source in sources(path):
        assert (ROOT / source).exists(), source
        assert any(Path(source).match(pattern) for pattern in allowed), source


@each
def test_the_wheel_is_built_from_all_that_goes_into_it(path: Path) -> None:
    hook = ast.parse((ROOT / "hatch_build.py").read_text(encoding="utf-8"))
    (resources,) = (
        ast.literal_eval(node.value)
        for node in hook.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "RESOURCES"
    )
    copied = set(sources(path))
    assert {"pyproject.toml", "hatch_build.py", "README.md", "LICENSE", "eatrack_edge"} <= copied
    assert {folder.partition("/")[0] for folder in resources} <= copied


@each
def test_pip_installs_pinned_packages_and_keeps_no_cache(path: Path) -> None:
    commands = pip_commands(path)
    assert len(commands) >= 4
    for command in commands:
        assert "--no-cache-dir" in command
        packages = [word for word in command[1:] if not word.startswith("-")]
        assert all("==" in word or word.startswith(("/", ".", "https://")) for word in packages), command


@each
def test_apt_brings_no_more_than_asked_and_leaves_no_lists(path: Path) -> None:
    for text in of(path, "RUN"):
        if "apt-get install" in text:
            assert text.count("apt-get install") == text.count("--no-install-recommends")
            assert "rm -rf /var/lib/apt/lists/*" in text


@each
def test_the_packages_satisfy_the_project(path: Path) -> None:
    installed = pins(path.with_suffix(".txt"))
    environment = {"python_version": PYTHONS[path.stem], "platform_machine": "x86_64"}
    for wanted in dependencies("dependencies"):
        if wanted.marker and not wanted.marker.evaluate(environment):
            continue
        if wanted.name == "opencv-python-headless" and path in JETSON:
            assert "python3-opencv" in " ".join(of(path, "RUN")), "it is the system's there"
            continue
        assert installed[wanted.name.lower()] in wanted.specifier, wanted


def test_the_x86_image_can_train_and_export() -> None:
    path = ROOT / "docker" / "x86.Dockerfile"
    installed = pins(path.with_suffix(".txt")) | {"torch": arguments(path)["TORCH"]}
    for extra in ("export", "train", "cpu", "openvino", "eval"):
        found = re.search(rf"^{extra} = (\[.*\])", PROJECT, re.MULTILINE)
        assert found
        for wanted in map(Requirement, ast.literal_eval(found[1])):
            assert installed[wanted.name] in wanted.specifier, wanted


@pytest.mark.parametrize("path", JETSON, ids=lambda path: path.stem)
def test_a_jetson_image_flies_on_the_systems_tensorrt(path: Path) -> None:
    installed = pins(path.with_suffix(".txt"))
    assert [name for name in installed if name.startswith(("tensorrt", "opencv", "onnxruntime-gpu", "torch"))] == []
    assert installed["numpy"].startswith("1."), "the system's OpenCV is built for NumPy 1"
    text = " ".join(of(path, "RUN"))
    for package in ("python3-libnvinfer", "python3-opencv", "python3-gi", "gstreamer1.0-plugins-good"):
        assert package in text
    assert "venv --system-site-packages" in text


@pytest.mark.parametrize("path", JETSON, ids=lambda path: path.stem)
def test_cuda_python_is_of_the_images_cuda(path: Path) -> None:
    cuda = re.search(r"cuda-nvrtc-(\d+)-(\d+)", " ".join(of(path, "RUN")))
    assert cuda
    assert pins(path.with_suffix(".txt"))["cuda-python"].startswith(f"{cuda[1]}.{cuda[2]}.")
    assert f"CUDA {cuda[1]}.{cuda[2]}" in path.read_text(encoding="utf-8").splitlines()[0]


@pytest.mark.parametrize("path", JETSON, ids=lambda path: path.stem)
def test_engines_lie_in_the_volume(path: Path) -> None:
    (environment,) = of(path, "ENV")
    assert of(path, "VOLUME") == ['["/var/lib/eatrack"]']
    assert "EATRACK_HOME=/var/lib/eatrack " in environment
    assert "--owner eatrack /data /var/lib/eatrack" in " ".join(of(path, "RUN")), "a volume takes its owner from here"


def test_the_readme_opens_with_a_command_and_says_what_was_not_done() -> None:
    text = (ROOT / "docker" / "README.md").read_text(encoding="utf-8")
    command = re.fullmatch(r"`docker build -f (\S+) -t \S+ \.`", text.splitlines()[0])
    assert command
    assert (ROOT / command[1]).is_file()
    assert "No image has been built, and none has run on a board." in text
    for path in FILES:
        assert f"`{path.name}`" in text
