from __future__ import annotations

from pathlib import Path

import pytest
import torch

from eatrack_edge.export.recipe import Plan, plan
from eatrack_edge.export.write import export
from eatrack_edge.model.checkpoints import write_checkpoint
from eatrack_edge.model.eatrack import EATrack
from eatrack_edge.model.registry import ARCHITECTURES


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """The tests' network with random weights."""
    torch.manual_seed(3)
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    write_checkpoint(path, EATrack(ARCHITECTURES["eatrack_tiny"]), {"model": "eatrack_tiny"}, half=False)
    return plan(str(path))


@pytest.fixture(scope="session")
def fp32(tiny: Plan, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Its template and track graph in float32."""
    template, track = export(tiny, tmp_path_factory.mktemp("fp32")).files
    return template, track
