"""Pictures of shards decoded once, in a file that every process maps: worker processes then share one copy.

Decoding is a third of the time that a sample takes to make. It does not matter on a CPU, where the network takes all
the time; a GPU would wait for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from tempfile import NamedTemporaryFile
from typing import IO, Any, cast

import numpy as np
from numpy.typing import NDArray

from eatrack_edge.core.crops import Frame
from eatrack_edge.core.errors import OutputError
from eatrack_edge.core.reasons import reason_of
from eatrack_edge.datasets.shards import ShardCrop, ShardTarget


class PictureFile:
    """Pixels of many pictures in a temporary file, which goes with the process that wrote it.

    Not in shared memory: containers often have 64 MB of that.
    """

    def __init__(self) -> None:
        self._file: IO[bytes] | None = NamedTemporaryFile(prefix="eatrack-pictures-")  # noqa: SIM115  # for its life
        self._name = self._file.name
        self._pixels: NDArray[np.uint8] | None = None

    def append(self, picture: Frame) -> int:
        """Add a picture; returns where it begins, bytes. For the process that made the file."""
        assert self._file is not None
        start = self._file.tell()
        self._file.write(picture.tobytes())
        return start

    def read(self, start: int, shape: tuple[int, ...]) -> Frame:
        """The picture that begins there, read-only. Nothing may be added after the first."""
        if self._pixels is None:
            if self._file is not None:
                self._file.flush()
            self._pixels = np.memmap(self._name, np.uint8, "r")
        return cast("Frame", np.asarray(self._pixels[start : start + int(np.prod(shape))]).reshape(shape))

    def __getstate__(self) -> dict[str, Any]:
        if self._file is not None:
            self._file.flush()
        return {"_name": self._name, "_file": None, "_pixels": None}


@dataclass(frozen=True, slots=True)
class DecodedCrop(ShardCrop):
    """One picture of one target, decoded; ``encoded`` is empty.

    Attributes:
        file: Where its pixels are.
        start: Of them in the file, bytes.
        shape: (H, W, 3).
    """

    file: PictureFile
    start: int
    shape: tuple[int, ...]

    def picture(self) -> Frame:
        """The picture, shape (H, W, 3), BGR, read-only."""
        return self.file.read(self.start, self.shape)


def decode_once(targets: Sequence[ShardTarget]) -> list[ShardTarget]:
    """The same targets with their pictures decoded, in one temporary file some 25 times as large.

    Raises:
        InputError: A picture cannot be read.
        OutputError: The file cannot be written.
    """
    try:
        file = PictureFile()
        return [replace(target, crops=tuple(_decoded(crop, file) for crop in target.crops)) for target in targets]
    except OSError as error:
        raise OutputError(
            f"decoded pictures cannot be kept in the folder for temporary files: {reason_of(error)}",
            hint="name another folder in TMPDIR, or leave data.decode_once out",
        ) from error


def _decoded(crop: ShardCrop, file: PictureFile) -> DecodedCrop:
    picture = crop.picture()
    return DecodedCrop(crop.name, crop.box, crop.time, b"", file, file.append(picture), picture.shape)
