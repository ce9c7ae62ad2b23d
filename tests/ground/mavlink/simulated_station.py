"""A station that asks the camera's protocol without sockets: its messages are packed and decoded as on the wire."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any

from eatrack_edge.core.boxes import Box
from eatrack_edge.ground.mavlink.announced_stream import AnnouncedStream
from eatrack_edge.ground.mavlink.camera_component import CameraComponent, Outgoing
from eatrack_edge.ground.mavlink.camera_options import MavlinkOptions
from eatrack_edge.ground.mavlink.packets import load_dialect
from eatrack_edge.outputs.base import FrameRecord
from eatrack_edge.session.commands import Command, Select, SelectPoint
from eatrack_edge.session.events import FrameEvent, SelectionEvent
from session.simulated_sessions import live_frame

D: ModuleType = load_dialect()
PEER = ("192.168.144.11", 14550)
SIZE = (640, 480)
BOX: Box = (64.0, 48.0, 128.0, 96.0)


def frame_event(
    state: str = "WAITING", box: Box | None = None, confidence: float = 0.9, size: tuple[int, int] = SIZE
) -> FrameEvent:
    shown = live_frame(7, *size)
    return FrameEvent(shown, FrameRecord(7, 0.2, box, confidence, state), age_ms=5.0)


class Conversation:
    """A camera, and a station at its other end."""

    def __init__(self, *, streams: Sequence[str] = (), first_frame: bool = True, **options: Any) -> None:
        self.commands: list[Command] = []
        self.now_s = 1000.0
        self.camera = CameraComponent(
            D,
            MavlinkOptions(**options),
            self.commands.append,
            streams=[AnnouncedStream.of(uri) for uri in streams],
            local_host=lambda _peer: "192.168.144.20",
        )
        self.out: list[Outgoing] = []
        if first_frame:
            self.see(frame_event())
            self.out.clear()

    def see(self, event: Any) -> None:
        self.out += self.camera.observe(event, self.now_s)

    def settle(self, place: int = -1, *, is_refused: bool = False) -> list[Any]:
        """The session answers one of the selections, the newest by default; what the camera sends then."""
        before = len(self.out)
        selection = self.commands[place]
        assert isinstance(selection, Select | SelectPoint)
        self.see(SelectionEvent(7, "", is_refused, 0, None if is_refused else BOX, selection.id))
        return [one.message for one in self.out[before:]]

    def wait(self, seconds: float, step: float = 0.05) -> list[Any]:
        """Let time pass; what the camera sends meanwhile."""
        before = len(self.out)
        for _ in range(round(seconds / step)):
            self.now_s += step
            self.out += self.camera.due(self.now_s)
        return [one.message for one in self.out[before:]]

    def ask(
        self,
        command: int,
        *parameters: float,
        confirmation: int = 0,
        target: tuple[int, int] = (1, 100),
        sender: tuple[int, int] = (255, 190),
        peer: Any = PEER,
        as_int: bool = False,
    ) -> list[Any]:
        """Send a command; what the camera sends at once."""
        values = [*parameters, *(7 * [0.0])][:7]
        if as_int:
            message = D.MAVLink_command_int_message(
                *target, 0, command, 0, 0, *values[:4], int(values[4]), int(values[5]), values[6]
            )
        else:
            message = D.MAVLink_command_long_message(*target, command, confirmation, *values)
        return self.send(message, sender=sender, peer=peer)

    def send(self, message: Any, *, sender: tuple[int, int] = (255, 190), peer: Any = PEER) -> list[Any]:
        packer = D.MAVLink(None, *sender)
        answers = self.camera.receive(packer.decode(bytearray(message.pack(packer))), peer, self.now_s)
        self.out += answers
        assert all(answer.peer == peer for answer in answers)
        # Whatever is sent can be packed and read back.
        return [packer.decode(bytearray(answer.message.pack(packer))) for answer in answers]


def result(answers: list[Any]) -> int | None:
    """The result in the only acknowledgement among messages; ``None`` where there is none."""
    acks = [message for message in answers if message.get_type() == "COMMAND_ACK"]
    assert len(acks) <= 1
    return int(acks[0].result) if acks else None


def of(kind: str, messages: list[Any]) -> list[Any]:
    return [message for message in messages if message.get_type() == kind]
