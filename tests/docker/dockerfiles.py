"""Reads Dockerfiles, as far as ours go: instructions with their arguments, build stages, pip commands."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "docker").glob("*.Dockerfile"))
PYTHONS = {"x86": "3.12", "jetson_jp6": "3.10", "jetson_jp72": "3.12"}


class Instruction(NamedTuple):
    name: str  # e.g. RUN
    text: str  # the rest, its lines joined


def instructions(path: Path) -> list[Instruction]:
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    found = [line.partition(" ") for line in joined.splitlines() if line.strip()]
    return [Instruction(name, text.strip()) for name, _, text in found]


def of(path: Path, name: str) -> list[str]:
    return [one.text for one in instructions(path) if one.name == name]


def arguments(path: Path) -> dict[str, str]:
    """Build arguments and their defaults."""
    return dict(text.split("=", 1) for text in of(path, "ARG"))


def flags(text: str) -> list[dict[str, str]]:
    """The mounts of a RUN instruction."""
    return [dict(part.split("=", 1) for part in mount.split(",")) for mount in re.findall(r"--mount=(\S+)", text)]


def sources(path: Path) -> list[str]:
    """What is copied or mounted from the build's folder."""
    found: list[str] = []
    for text in of(path, "COPY"):
        words = [word for word in shlex.split(text) if not word.startswith("--chmod")]
        if not words[0].startswith("--from"):
            found += words[:-1]
    for text in of(path, "RUN"):
        found += [mount["source"] for mount in flags(text) if "from" not in mount]
    return found


def pip_commands(path: Path) -> list[list[str]]:
    """Every call of pip, its build arguments filled in; files as the image sees them."""
    found: list[list[str]] = []
    for text in of(path, "RUN"):
        for command in re.sub(r"--mount=\S+", "", text).split("&&"):
            for name, value in arguments(path).items():
                command = command.replace(f"${{{name}}}", value)
            words = shlex.split(command)
            if words and words[0].rpartition("/")[2] == "pip":
                found.append(words[1:])
    return found


def pins(path: Path) -> dict[str, str]:
    """Version by package, of one of our lists."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    return {name.lower().replace("_", "-"): version for name, version in (line.split("==") for line in lines)}
