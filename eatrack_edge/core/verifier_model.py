"""What the verifier learned from training clips. It belongs to one network, and travels in its metadata.

Tokens tell what an object is; of two persons they tell less who is who, because most of what varies between them varies
between two pictures of one person as well. A projection that makes the tokens of one target alike, and those of
different targets different, is learned once from clips. ``eatrack-edge fit-verifier`` does.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from eatrack_edge.core.errors import InputError


@dataclass(frozen=True, slots=True)
class SignWeights:
    """How much each sign counts in the log odds that what was found is the target."""

    confidence: float  # of the logit of the network's confidence
    first: float  # of the cosine to the target in the first frame
    latest: float  # of the cosine to the target as it was seen last
    bias: float
    second: float = 0.0  # of the logit of the second network's highest score in the search region


class TokenProjection:
    """Makes tokens of one target alike: ``(token / |token| - mean) @ matrix``, at unit length.

    Args:
        mean: Of tokens at unit length, shape (dim,).
        matrix: Shape (dim, kept).
    """

    def __init__(self, mean: NDArray[np.float32], matrix: NDArray[np.float32]) -> None:
        self.mean = mean
        self.matrix = matrix

    def __call__(self, tokens: NDArray[np.float32]) -> NDArray[np.float32]:
        """Project tokens, shape (N, dim), to shape (N, kept)."""
        projected: NDArray[np.float32] = unit(unit(tokens) - self.mean) @ self.matrix
        return unit(projected)


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """At unit length along the last axis; what has no length stays so."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    directions: NDArray[np.float32] = vectors / np.maximum(lengths, 1e-12)
    return directions


@dataclass(frozen=True, slots=True)
class VerifierModel:
    """Of one network.

    Attributes:
        alone: Weights where the network is asked alone.
        with_second: Weights where a refinement has a second network.
        projection: Of tokens; ``None`` compares them as they are.
    """

    alone: SignWeights
    with_second: SignWeights
    projection: TokenProjection | None = None

    def to_text(self) -> str:
        """As text, for metadata; the projection in float16."""
        of = self.projection
        arrays = _Arrays() if of is None else _Arrays(of.matrix.shape[1], _encoded(of.mean), _encoded(of.matrix))
        return msgspec.json.encode(_Text(self.alone, self.with_second, arrays)).decode()

    @classmethod
    def from_text(cls, text: str, dim: int, source: str) -> VerifierModel:
        """Read back what ``to_text`` wrote.

        Args:
            text: Of the metadata; empty gives ``UNFITTED``.
            dim: Width of a token.
            source: File that it came from, for the message.

        Raises:
            InputError: It cannot be read, or is of tokens of another width.
        """
        if not text:
            return UNFITTED
        try:
            read = msgspec.json.decode(text, type=_Text)
            if not read.projection.kept:
                return cls(read.alone, read.with_second)
            mean = _decoded(read.projection.mean).reshape(dim)
            matrix = _decoded(read.projection.matrix).reshape(dim, read.projection.kept)
        except (msgspec.DecodeError, ValueError) as error:
            raise InputError(f"{source}: metadata `verifier` cannot be read: {error}") from error
        return cls(read.alone, read.with_second, TokenProjection(mean, matrix))


class _Arrays(msgspec.Struct):
    """A projection as text: float16, little-endian, base64; nothing is kept where there is none."""

    kept: int = 0
    mean: str = ""
    matrix: str = ""


class _Text(msgspec.Struct):
    alone: SignWeights
    with_second: SignWeights
    projection: _Arrays


def _encoded(array: NDArray[np.float32]) -> str:
    return base64.b64encode(array.astype("<f2").tobytes()).decode()


def _decoded(text: str) -> NDArray[np.float32]:
    return np.frombuffer(base64.b64decode(text, validate=True), "<f2").astype(np.float32)


# For a network whose verifier was never fitted: tokens as they are, weights of eatrack_s over 6,088 looks at clips.
UNFITTED = VerifierModel(SignWeights(0.75, 3.05, 8.44, -7.57), SignWeights(0.63, 1.97, 8.37, -6.83, 0.76))
