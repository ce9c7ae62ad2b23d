"""Runs a network in torch behind the tracker's backend protocol, so that training can track with unfinished weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from eatrack_edge.contract import Contract
from eatrack_edge.crops import Frame
from eatrack_edge.model import flying
from eatrack_edge.model.eatrack import EATrack
from eatrack_edge.runtime.backends import InferTiming, Maps
from eatrack_edge.train.sampling import normalised


class TorchBackend:
    """A network on the device where its weights are.

    Args:
        network: In evaluation mode; it is not changed, and new weights are used at once.
        contract: The crops that it was trained on, and its confidence's calibration.
    """

    def __init__(self, network: EATrack, contract: Contract) -> None:
        self.name = "torch"
        self.contract = contract
        self.timing_ms = InferTiming(0.0, 0.0, 0.0)
        self.note = ""
        self._network = network
        self._slots: list[tuple[Tensor, Tensor]] = []

    @torch.no_grad()
    def encode_template(self, crop: Frame, extent: tuple[float, float], slots: Sequence[int]) -> None:
        """Encode a template crop (Z, Z, 3), BGR uint8, and keep its tokens in each of ``slots``."""
        held = dict(enumerate(self._slots))
        for slot in slots:
            place = torch.tensor([slot], device=self._device)
            told = torch.tensor([extent], dtype=torch.float32, device=self._device)
            held[slot] = flying.encode_template(self._network, self._input(crop), told, place)
        self._slots = [held[slot] for slot in sorted(held)]

    @torch.no_grad()
    def infer(self, search: Frame) -> Maps:
        """Predict the maps of a search crop (X, X, 3), BGR uint8."""
        maps, tokens = flying.track(self._network, self._input(search), self._slots)
        return Maps(_array(maps[0][0, 0]), _array(maps[1][0]), _array(maps[2][0]), _array(tokens[0]))

    def _input(self, crop: Frame) -> Tensor:
        return normalised(torch.from_numpy(np.ascontiguousarray(crop))[None].to(self._device))

    @property
    def _device(self) -> torch.device:
        return self._network.backbone.pos_embed_x.device


def _array(values: Tensor) -> NDArray[np.float32]:
    return cast("NDArray[np.float32]", values.float().cpu().numpy())
