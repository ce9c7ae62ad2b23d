"""Reads a file of weights by what is in it, and names a file that is something else."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path

from eatrack_edge.core.errors import CheckpointError, MissingExtra
from eatrack_edge.core.imports import require
from eatrack_edge.core.reasons import reason_of
from eatrack_edge.model.torch_files import NotATorchFile, read_torch_file

SUFFIXES = (".safetensors", ".pth", ".pth.tar", ".pt", ".ckpt", ".bin")
_HEAD_BYTES = 1024
_DOWNLOAD = "download it again, and compare its size with the one that its page states"
_BROWSER = "download it again: links of Google Drive and of pages with a login need a browser, or gdown"
_ARCHIVES = {b"\x1f\x8b": "a gzip archive", b"7z\xbc\xaf": "a 7z archive", b"Rar!": "a RAR archive"}


def read_weights_file(path: Path) -> tuple[object, Mapping[str, str]]:
    """What a file holds, and the text beside it, which only ``.safetensors`` has.

    Raises:
        CheckpointError: It is not a file of weights, or is damaged.
        MissingExtra: ``safetensors`` is not installed.
    """
    head = _head(path)
    _refuse_other_files(path, head)
    try:
        if _is_safetensors(head, path):
            with require("safetensors", to="read a checkpoint").safe_open(path, "pt") as file:
                held = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118  (not a dict)
                return held, file.metadata() or {}
        return read_torch_file(path), {}
    except MissingExtra:
        raise
    except NotATorchFile as error:
        raise CheckpointError(f"{path}: {error}", hint="name a file that torch or safetensors wrote") from error
    except Exception as error:  # a damaged file fails anywhere, in zipfile, in the unpickler or in torch
        lines = str(error).strip().splitlines()
        reason = f"{type(error).__name__}: {lines[0][:120]}" if lines else type(error).__name__
        raise CheckpointError(f"{path}: damaged, or cut off: {reason}", hint=_DOWNLOAD) from error


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_HEAD_BYTES)
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read: {reason_of(error)}") from error


def _is_safetensors(head: bytes, path: Path) -> bool:
    """Whether a file is as safetensors lays it out: the length of a JSON table, and the table."""
    if head[8:9] == b"{":
        return struct.unpack("<Q", head[:8])[0] < path.stat().st_size
    return path.suffix == ".safetensors" and not head.startswith((b"PK", b"\x80"))


def _refuse_other_files(path: Path, head: bytes) -> None:
    """Name what people get in place of weights.

    Raises:
        CheckpointError: It is one of these.
    """
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not head:
        raise CheckpointError(f"{path}: an empty file", hint=_DOWNLOAD)
    if not head.strip(b"\0"):
        raise CheckpointError(f"{path}: begins with zeros alone, as after an interrupted download", hint=_DOWNLOAD)
    if text.startswith(b"version https://git-lfs"):
        raise CheckpointError(
            f"{path}: a Git LFS pointer, not the weights themselves",
            hint="fetch them, in the clone that it is from: git lfs install && git lfs pull",
        )
    if text.startswith((b"<!doctype html", b"<html", b"<head", b"<script", b"<body", b"<?xml", b"<!--")):
        raise CheckpointError(f"{path}: a web page, not weights", hint=_BROWSER)
    for magic, kind in _ARCHIVES.items():
        if head.startswith(magic):
            raise CheckpointError(f"{path}: {kind}, not weights", hint="unpack it, and name the file that was in it")
    if _is_text(head):
        line = head.decode("utf-8", "replace").strip().splitlines()[0][:60]
        raise CheckpointError(f"{path}: a text file, not weights; it begins with `{line}`", hint=_BROWSER)


def _is_text(head: bytes) -> bool:
    # The first pickle of a stream and the length in front of safetensors' table hold control characters.
    return all(byte in b"\t\r\n" or 32 <= byte < 127 for byte in head)
