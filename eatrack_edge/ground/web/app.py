"""The routes of the ground station."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from eatrack_edge.ground.web.conversation import converse
from eatrack_edge.ground.web.hub import Hub
from eatrack_edge.ground.web.prometheus_text import metrics_text
from eatrack_edge.ground.web.telemetry import finite

_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_STALLED_S = 10.0  # without a frame from a source that is there
_PLAYER_WIDTH = 960
_BOUNDARY = "eatrack"
_CHUNK = 64 * 1024


def make_app(hub: Hub) -> Starlette:
    """The application, without its guard."""
    routes = _Routes(hub)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        run = asyncio.create_task(hub.run())
        await asyncio.sleep(0)  # so that it has the loop before a request comes
        yield
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)

    async def websocket(socket: WebSocket) -> None:
        await converse(socket, hub)

    api = [
        Route("/healthz", routes.health, name="whether frames come; 503 where they should and do not"),
        Route("/metrics", routes.metrics, name="numbers for Prometheus"),
        Route("/stream.mjpg", routes.stream, name="the picture with the box, for players"),
        Route("/api/status", routes.status, name="all numbers of the page as JSON"),
        Route("/api/trend", routes.trend, name="confidence and age of the last minute"),
        Route("/api/templates", routes.templates, name="what the tracker compares with, and can compare with again"),
        Route("/api/templates/{number:int}.jpg", routes.template, name="one of them as a picture"),
        Route("/api/log", routes.log, name="the session's log as far as it is written"),
    ]
    listing = _json({"paths": {route.path: route.name for route in api}, "websocket": "/ws"})

    async def index(_: Request) -> Response:
        return Response(listing, media_type="application/json")

    pages = [Route(path, _file(content, kind)) for path, (content, kind) in _page_files().items()]
    return Starlette(routes=[*pages, *api, Route("/api", index), WebSocketRoute("/ws", websocket)], lifespan=lifespan)


def _page_files() -> dict[str, tuple[bytes, str]]:
    """The files of the page by their path. All are read at the start: a request never names a file of the disk."""
    found = {}
    for item in files("eatrack_edge.ground.web").joinpath("page").iterdir():
        kind = _TYPES.get(Path(item.name).suffix)
        if kind:
            found["/" if item.name == "index.html" else f"/{item.name}"] = (item.read_bytes(), kind)
    return found


def _file(content: bytes, kind: str) -> Callable[[Request], Awaitable[Response]]:
    async def answer(_: Request) -> Response:
        return Response(content, media_type=kind)

    return answer


def _json(value: object) -> bytes:
    return msgspec.json.encode(value)


class _Routes:
    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def status(self, _: Request) -> Response:
        return Response(_json(self._hub.status()), media_type="application/json")

    async def trend(self, _: Request) -> Response:
        columns = ("seconds", "confidence", "age_ms", "state")
        points = [dict(zip(columns, point, strict=True)) for point in self._hub.telemetry.trend()]
        return Response(_json({"now_s": self._hub.telemetry.now_s(), "points": points}), media_type="application/json")

    async def health(self, _: Request) -> Response:
        numbers = self._hub.telemetry.snapshot()
        source, silence_s = numbers["source"], numbers["since_frame_s"]
        assert isinstance(source, dict)
        if numbers["ended"] is not None:
            return PlainTextResponse("the session has ended\n", 503)
        if source["is_found"] and isinstance(silence_s, float) and silence_s > _STALLED_S:
            return PlainTextResponse(f"no frame for {silence_s:.0f} s\n", 503)
        return PlainTextResponse("ok\n" if source["is_found"] else "ok, waiting for the source\n")

    async def metrics(self, _: Request) -> Response:
        hub = self._hub
        seconds = {str(share): finite(hub.page_ages_ms.quantile(share) / 1000) for share in (0.5, 0.95)}
        viewers = len(hub.viewers.pages) + len(hub.viewers.players)
        content = metrics_text(hub.status(), viewers, hub.viewers.pictures_sent, seconds)
        return Response(content, media_type="text/plain; version=0.0.4")

    async def templates(self, _: Request) -> Response:
        return Response(_json(self._hub.templates.table()), media_type="application/json")

    async def template(self, request: Request) -> Response:
        crop = self._hub.templates.crop(request.path_params["number"])
        if crop is None:
            return PlainTextResponse("there is no such template\n", 404)
        return Response(await self._hub.pictures.of_crop(crop), media_type="image/jpeg")

    async def log(self, _: Request) -> Response:
        path = self._hub.log
        if path is None or not path.is_file():
            return PlainTextResponse("the session has no log: eatrack-edge fly --jsonl fly.jsonl\n", 404)
        # As long as it is now: it grows meanwhile, and a length that was announced must be kept.
        size = path.stat().st_size
        headers = {"Content-Length": str(size), "Content-Disposition": f'attachment; filename="{_plain(path.name)}"'}
        return StreamingResponse(_first_bytes(path, size), headers=headers, media_type="application/x-ndjson")

    async def stream(self, _: Request) -> Response:
        hub = self._hub
        if not hub.viewers.has_room_for_player():
            return PlainTextResponse("too many players are open\n", 503)

        async def parts() -> AsyncIterator[bytes]:
            player = hub.viewers.open_player()  # in here: what is begun is also ended
            try:
                shown = None
                while not hub.is_closing:
                    await player.wake.wait()
                    player.wake.clear()
                    if (event := hub.newest) is None or event is shown:
                        continue
                    shown = event
                    jpeg = (await hub.pictures.of(event, _PLAYER_WIDTH, is_annotated=True)).jpeg
                    head = f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                    yield head.encode() + jpeg + b"\r\n"
            finally:
                hub.viewers.leave(player)

        return StreamingResponse(parts(), media_type=f"multipart/x-mixed-replace; boundary={_BOUNDARY}")


async def _first_bytes(path: Path, size: int) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, size, os.POSIX_FADV_SEQUENTIAL)
        while size > 0 and (data := await asyncio.to_thread(file.read, min(_CHUNK, size))):
            size -= len(data)
            yield data


def _plain(name: str) -> str:
    return "".join(one if one.isascii() and (one.isalnum() or one in "._-") else "_" for one in name)
