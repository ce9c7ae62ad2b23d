from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from eatrack_edge.core.model_spec import ModelSpec
    from eatrack_edge.export.recipe import Plan


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """The tests' network with random weights."""
    torch = pytest.importorskip("torch")
    from eatrack_edge.export.recipe import plan
    from eatrack_edge.model.checkpoints import write_checkpoint
    from eatrack_edge.model.eatrack import EATrack
    from eatrack_edge.model.registry import architecture
    from model.embedded import draw_marks

    torch.manual_seed(3)
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    write_checkpoint(path, draw_marks(EATrack(architecture("eatrack_tiny"))), {"model": "eatrack_tiny"}, half=False)
    return plan(str(path))


@pytest.fixture(scope="session")
def model_spec(tiny: Plan) -> ModelSpec:
    return tiny.model_spec


@pytest.fixture(scope="session")
def fp32(tiny: Plan, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Its template and track graph in float32."""
    from eatrack_edge.export.write import export

    template, track = export(tiny, tmp_path_factory.mktemp("fp32")).files
    return template, track
