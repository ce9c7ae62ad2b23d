"""Runs a network in torch behind the tracker's backend protocol, so that training can track with unfinished weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from eatrack_edge.core.crops import Frame
from eatrack_edge.core.model_spec import ModelSpec
from eatrack_edge.inference.backend import InferTiming, Maps
from eatrack_edge.model import inference_graph
from eatrack_edge.model.eatrack import EATrack
from eatrack_edge.train.sampling import normalised


class TorchBackend:
    """A network on the device where its weights are.

    Args:
        network: In evaluation mode; it is not changed, and new weights are used at once.
        model_spec: The crops that it was trained on, and its confidence's calibration.
    """

    def __init__(self, network: EATrack, model_spec: ModelSpec) -> None:
        self.name = "torch"
        self.model_spec = model_spec
        self.timing_ms = InferTiming(0.0, 0.0, 0.0)
        self.note = ""
        self._network = network
        self._slots: list[tuple[Tensor, Tensor]] = []
        # As every backend does, so that a search crop can be encoded before the first target is given.
        black = np.zeros((model_spec.template_size, model_spec.template_size, 3), np.uint8)
        self.encode_template(black, (0.5, 0.5), range(model_spec.template_slots))

    @torch.no_grad()
    def encode_template(self, crop: Frame, extent: tuple[float, float], slots: Sequence[int]) -> None:
        """Encode a template crop (Z, Z, 3), BGR uint8, and keep its tokens in each of ``slots``."""
        slot_tensors = dict(enumerate(self._slots))
        for slot in slots:
            place = torch.tensor([slot], device=self._device)
            extents = torch.tensor([extent], dtype=torch.float32, device=self._device)
            slot_tensors[slot] = inference_graph.encode_template(self._network, self._input(crop), extents, place)
        self._slots = [slot_tensors[slot] for slot in sorted(slot_tensors)]

    @torch.no_grad()
    def infer(self, search: Frame) -> Maps:
        """Predict the maps of a search crop (X, X, 3), BGR uint8."""
        maps, tokens = inference_graph.track(self._network, self._input(search), self._slots)
        return Maps(_array(maps[0][0, 0]), _array(maps[1][0]), _array(maps[2][0]), _array(tokens[0]))

    def close(self) -> None:
        """Nothing to free: the network is the caller's."""

    def _input(self, crop: Frame) -> Tensor:
        return normalised(torch.from_numpy(np.ascontiguousarray(crop))[None].to(self._device))

    @property
    def _device(self) -> torch.device:
        return self._network.backbone.pos_embed_x.device


def _array(values: Tensor) -> NDArray[np.float32]:
    return cast("NDArray[np.float32]", values.float().cpu().numpy())
