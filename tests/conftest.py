from __future__ import annotations

import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from dead_worker import pytest_configure, pytest_configure_node, pytest_testnodedown
from eatrack_edge.inference import registry
from eatrack_edge.inference.backend import Backend

__all__ = ["pytest_configure", "pytest_configure_node", "pytest_testnodedown"]  # hooks

# Machines are shared: a slow example is no fault of the code.
settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60)
settings.load_profile("shared")

# These import torch at their top, as what they test does.
collect_ignore_glob = [] if find_spec("torch") else ["model/*", "export/*", "train/*"]


# Files whose tests start servers, browsers or other programs, or watch a clock: minutes in all, so that `make test`
# leaves them to `make test-all`.
SYSTEM = {
    "benchmarks/test_page_in_browser.py",
    "cli/test_bench_selection.py",
    "cli/test_fly.py",
    "cli/test_fly_outputs.py",
    "cli/test_fly_web.py",
    "cli/test_service_systemd.py",
    "cli/test_track_edges.py",
    "docs/test_pages.py",
    "docs/test_site.py",
    "evaluation/test_page.py",
    "evaluation/test_worker_pool.py",
    "ground/mavlink/test_camera_link.py",
    "ground/mavlink/test_stations.py",
    "ground/web/test_candidates_in_page.py",
    "ground/web/test_old_picture_in_page.py",
    "ground/web/test_page.py",
    "ground/web/test_restore_in_page.py",
    "ground/web/test_station.py",
    "session/test_live.py",
    "session/test_live_rtsp.py",
    "session/test_recorder_on_disk.py",
    "session/test_stream_output.py",
    "sources/test_gstreamer.py",
    "sources/test_latest.py",
    "sources/test_network.py",
}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.relative_to(Path(__file__).parent).parts[0] in ("model", "export", "train"):
            item.add_marker(pytest.mark.torch)
        if item.path.relative_to(Path(__file__).parent).as_posix() in SYSTEM:
            item.add_marker(pytest.mark.system)


_open = registry.open_named


@cache
def _opened(name: str, model: str | Path, threads: int) -> Backend:
    backend = _open(name, model, threads)
    backend.close = lambda: None  # type: ignore[method-assign]  # the next test goes on with it
    return backend


@pytest.fixture
def opened_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests share open models: opening one takes longer than tracking a few frames."""

    def open_once(name: str, model: str | Path, threads: int) -> Backend:
        is_taken_away = sys.modules.get(name, name) is None
        return (_open if is_taken_away else _opened)(name, model, threads)

    monkeypatch.setattr(registry, "open_named", open_once)
