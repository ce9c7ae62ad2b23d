"""What the verifier learned from training clips. It belongs to one network, and travels in its metadata."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from eatrack_edge.core.errors import ConfigError, InputError
from eatrack_edge.core.ranges import check_ranges


@dataclass(frozen=True, slots=True)
class SignWeights:
    """How much each sign counts in the log odds that what was found is the target."""

    confidence: float  # of the logit of the network's confidence
    first: float  # of the cosine to the target in the first frame
    latest: float  # of the cosine to the target as it was seen last
    bias: float  # what is added to them
    second: float = 0.0  # of the logit of the second network's highest score in the search region

    def __post_init__(self) -> None:
        check_ranges(self, dict.fromkeys(("confidence", "first", "latest", "bias", "second"), "[-1000, 1000]"))


@dataclass(frozen=True, slots=True)
class VerifierModel:
    """What one network's verifier learned, by ``eatrack-edge fit-verifier``.

    Attributes:
        alone: Weights where the network is asked alone.
        with_second: Weights where a refinement has a second network.
        model: Name of the network, as in its metadata; empty where it is not known, as in older files.
    """

    alone: SignWeights
    with_second: SignWeights
    model: str = ""

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
        except (msgspec.DecodeError, ConfigError) as error:
            raise InputError(f"{source}: not the weights of a verifier: {error}") from error


# For a network whose verifier was never fitted. Logistic regressions over 6,088 looks of eatrack_s in INT8 at training
# clips: 2,326 at the target, 3,762 at other objects and places, both kinds weighted alike.
UNFITTED = VerifierModel(SignWeights(0.75, 3.05, 8.44, -7.57), SignWeights(0.63, 1.97, 8.37, -6.83, 0.76))
