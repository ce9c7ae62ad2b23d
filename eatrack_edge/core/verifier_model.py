"""What the verifier learned from training clips. It belongs to one network, and travels in its metadata."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from eatrack_edge.core.errors import InputError


@dataclass(frozen=True, slots=True)
class SignWeights:
    """How much each sign counts in the log odds that what was found is the target."""

    confidence: float  # of the logit of the network's confidence
    first: float  # of the cosine to the target in the first frame
    latest: float  # of the cosine to the target as it was seen last
    bias: float
    second: float = 0.0  # of the logit of the second network's highest score in the search region


@dataclass(frozen=True, slots=True)
class VerifierModel:
    """Of one network; ``eatrack-edge fit-verifier`` learns it.

    Attributes:
        alone: Weights where the network is asked alone.
        with_second: Weights where a refinement has a second network.
    """

    alone: SignWeights
    with_second: SignWeights

    def to_text(self) -> str:
        """As text, for metadata."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def from_text(cls, text: str, source: str) -> VerifierModel:
        """Read back what ``to_text`` wrote.

        Args:
            text: Of the metadata; empty gives ``UNFITTED``.
            source: Where it came from, for the message.

        Raises:
            InputError: It cannot be read.
        """
        if not text:
            return UNFITTED
        try:
            return msgspec.json.decode(text, type=cls)
        except msgspec.DecodeError as error:
            raise InputError(f"{source}: metadata `verifier` cannot be read: {error}") from error


# For a network whose verifier was never fitted. Logistic regressions over 6,088 looks of eatrack_s in INT8 at training
# clips: 2,326 at the target, 3,762 at other objects and places, both kinds weighted alike.
UNFITTED = VerifierModel(SignWeights(0.75, 3.05, 8.44, -7.57), SignWeights(0.63, 1.97, 8.37, -6.83, 0.76))
