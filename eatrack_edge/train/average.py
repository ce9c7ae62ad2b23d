"""A running average of a network's weights, steadier than the last step's."""

from __future__ import annotations

import copy

import torch

from eatrack_edge.model.eatrack import EATrack


class Average:
    """Exponential moving average of weights and of batch norm's statistics.

    Args:
        network: What to average; copied.
        decay: Share kept a step. The first steps keep less, so that the start is soon forgotten.

    Attributes:
        network: The averaged network, in evaluation mode.
        steps: Updates so far.
    """

    def __init__(self, network: EATrack, decay: float) -> None:
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self.decay = decay
        self.steps = 0

    @torch.no_grad()
    def update(self, network: EATrack) -> None:
        """Take in the network's weights after a step."""
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        current = network.state_dict()
        for key, value in self.network.state_dict().items():
            if value.is_floating_point():
                value.lerp_(current[key].to(value.dtype), 1 - decay)
            else:
                value.copy_(current[key])
