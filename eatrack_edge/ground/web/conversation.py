"""The WebSocket of one page: pictures and numbers out, acknowledgements and commands in."""

from __future__ import annotations

import asyncio
import math
import time

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from eatrack_edge.ground.web import messages
from eatrack_edge.ground.web.hub import Hub
from eatrack_edge.ground.web.messages import (
    Acknowledge,
    KeepPicture,
    Ping,
    ReleaseControl,
    RestoreSlot,
    SelectClick,
    StopTracking,
    TakeControl,
    View,
    text,
)
from eatrack_edge.ground.web.telemetry import finite, plain_box, plain_candidates
from eatrack_edge.ground.web.viewers import Viewer
from eatrack_edge.session.commands import KEEP_S, KeepFrame, RestoreTemplate, Select, Selection, SelectPoint, Stop

_SILENCE_S = 30.0  # a page asks for the clock every two seconds: one that does not is gone, and gives up its control
_TRY_LATER = 1013  # close code of the standard


async def converse(websocket: WebSocket, hub: Hub) -> None:
    """Serve one page until it leaves."""
    await websocket.accept()
    viewer = hub.viewers.open_page(websocket.client.host if websocket.client else "")
    if viewer is None:
        await websocket.send_text(text("full", reason="too many pages are open: close one"))
        await websocket.close(_TRY_LATER)
        return
    trend, now_s = hub.telemetry.trend(), hub.telemetry.now_s()
    viewer.tell(text("welcome", you=viewer.number, keep_s=KEEP_S, trend=trend, now_s=now_s))
    tasks = {asyncio.create_task(_send(websocket, viewer, hub)), asyncio.create_task(_receive(websocket, viewer, hub))}
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    except (WebSocketDisconnect, asyncio.TimeoutError):
        pass  # it is gone
    except Exception as error:
        if WebSocketState.DISCONNECTED not in (websocket.client_state, websocket.application_state):
            hub.report(error)  # Starlette says by a RuntimeError that somebody is gone; anything else is a bug
    finally:
        hub.viewers.leave(viewer)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _send(websocket: WebSocket, viewer: Viewer, hub: Hub) -> None:
    """Send what is newest whenever the connection takes it. It waits in here while the other side does not read."""
    while not hub.is_closing:
        await viewer.wake.wait()
        viewer.wake.clear()
        while viewer.notices:
            await websocket.send_text(viewer.notices.popleft())
        if (telemetry := viewer.telemetry) is not None:
            viewer.telemetry = None
            await websocket.send_text(telemetry)
        if (event := hub.newest) is not None and viewer.is_due(event):
            picture = await hub.pictures.of(event, viewer.width)
            height, width = event.shown.frame.shape[:2]
            header = {
                "picture": viewer.sends(event),
                "frame": event.shown.index,
                "captured_ms": event.shown.captured_ns / 1e6,
                "age_ms": round(event.shown.age_ms(), 1),
                "size": (width, height),
                "picture_size": (picture.width, picture.height),
                "box": plain_box(event.record.box),
                "confidence": finite(event.record.confidence),
                "state": event.record.state,
                "candidates": plain_candidates(event.record),
            }
            hub.viewers.pictures_sent += 1
            await websocket.send_bytes(messages.picture_message(header, picture.jpeg))
    await websocket.close(1001)


async def _receive(websocket: WebSocket, viewer: Viewer, hub: Hub) -> None:
    while True:
        received = await asyncio.wait_for(websocket.receive(), _SILENCE_S)
        if received["type"] == "websocket.disconnect":
            return
        sent = received.get("text")
        message = None if sent is None else messages.parse_message(sent)
        if isinstance(message, Acknowledge):
            age_ms = message.age_ms
            if viewer.acknowledge(message.picture) and age_ms is not None and 0 <= age_ms < 1e6:
                hub.page_ages_ms.add(age_ms)
        elif isinstance(message, Ping):
            if math.isfinite(message.at):
                viewer.tell(text("pong", at=message.at, server_ms=time.monotonic_ns() / 1e6))
        elif isinstance(message, View):
            viewer.width = message.width
        elif isinstance(message, TakeControl):
            hub.viewers.take(viewer)
            hub.show_telemetry()  # at once: who sees no answer taps again, and would release it
        elif isinstance(message, ReleaseControl):
            hub.viewers.release(viewer)
            hub.show_telemetry()
        else:
            reason = _obey(message, viewer, hub) if message else "not a message of this ground station"
            if reason:
                viewer.tell(text("refused", reason=reason, id=getattr(message, "id", None)))


def _obey(message: messages.Command, viewer: Viewer, hub: Hub) -> str:
    """Give a command to the session; why it is refused, or nothing."""
    commander = hub.viewers.commander
    if commander is not viewer:
        who = f"viewer {commander.number} commands" if commander else "nobody commands"
        return f"{who}: take control first"
    if not viewer.may_command():
        return "too many commands at once"
    if isinstance(message, StopTracking):
        hub.command(Stop())
        return ""
    if isinstance(message, RestoreSlot):
        if not (reason := hub.templates.refuse(message.target, message.number)):
            hub.command(RestoreTemplate(message.number))
        return reason
    size = viewer.frame_size(message.frame)
    if size is None:
        return f"frame {message.frame} was not shown here lately"
    if isinstance(message, KeepPicture):
        hub.command(KeepFrame(message.frame))
        return ""
    if reason := messages.refuse_selection(message, size):
        return reason
    if isinstance(message, SelectClick):
        selection: Selection = SelectPoint(*messages.point_inside(message, size), message.frame)
    else:
        selection = Select(message.box, message.frame)
    hub.select(selection, viewer.number, message.id)
    return ""
