from __future__ import annotations

import torch

from eatrack_edge.model.eatrack import EATrack


def draw_foreground_embedding(network: EATrack) -> EATrack:
    """Fill the foreground embedding of a new network, which begins at 0, with random numbers."""
    embedding = network.backbone.foreground_embedding
    assert embedding is not None
    with torch.no_grad():
        embedding.inside.normal_()
        embedding.outside.normal_()
    return network
