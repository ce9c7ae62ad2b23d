"""The browser ground station of ``eatrack-edge fly --web``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from eatrack_edge.cli.fly_config import FlyConfig
from eatrack_edge.core.imports import require
from eatrack_edge.session.live import LiveSession
from eatrack_edge.sources.base import Source
from eatrack_edge.tracking.tracker import Tracker

if TYPE_CHECKING:
    from eatrack_edge.ground.web.station import WebStation


def open_station(options: FlyConfig, session: LiveSession, tracker: Tracker, source: Source) -> WebStation | None:
    """Serve the page and print its link; ``None`` where ``--web`` was not given.

    Raises:
        UsageError: The address or the token is none.
        MachineError: The address is in use, or the extra `web` is not installed.
    """
    if not options.web:
        return None
    for package in ("starlette", "uvicorn", "websockets"):
        require(package, to="serve the browser ground station")
    from eatrack_edge.ground.web.station import WebStation
    from eatrack_edge.ground.web.web_address import TOKEN_VARIABLE, choose_token, parse_address

    address = parse_address(options.web)
    token = choose_token(address, options.web_token or os.environ.get(TOKEN_VARIABLE, ""))
    station = WebStation(
        address,
        token,
        session.commands.put,
        session.reports.put,
        templates=tracker.templates,
        log=Path(options.jsonl) if options.jsonl else None,
        source=source.name,
        model=f"{tracker.model_spec.model} on {tracker.backend.name}",
    )
    print(f"{'ground station':<25} {station.link}", flush=True)
    return station
