from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Answers = Callable[..., None]


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Answers:
    """Let the probes answer so, simulated: for packages and faults that this machine does not have."""

    def answer(**given: dict[str, Any]) -> None:
        for module in ("backend_checks", "video_checks"):
            monkeypatch.setattr(f"eatrack_edge.diagnosis.{module}.ask", lambda name: given[name])

    return answer
