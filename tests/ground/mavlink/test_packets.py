from __future__ import annotations

import random
import sys

import pytest

from eatrack_edge.core.errors import MissingExtra
from eatrack_edge.ground.mavlink.packets import PacketReader, load_dialect
from ground.mavlink.simulated_station import D

WANTED = (D.MAVLINK_MSG_ID_HEARTBEAT, D.MAVLINK_MSG_ID_COMMAND_LONG)


def packed(message: object, *, is_first_version: bool = False) -> bytes:
    return bytes(message.pack(D.MAVLink(None, 255, 190), force_mavlink1=is_first_version))  # type: ignore[attr-defined]


def heartbeat(**options: bool) -> bytes:
    return packed(D.MAVLink_heartbeat_message(6, 8, 0, 0, 4, 3), **options)


def telemetry() -> bytes:
    return packed(D.MAVLink_attitude_message(1, 0.1, 0.2, 0.3, 0.0, 0.0, 0.0))


def signed() -> bytes:
    packer = D.MAVLink(None, 255, 190)
    packer.signing.secret_key, packer.signing.sign_outgoing = b"k" * 32, True
    return bytes(D.MAVLink_heartbeat_message(6, 8, 0, 0, 4, 3).pack(packer))


def read(*parts: bytes, is_datagram: bool = False) -> list[str]:
    reader = PacketReader(D, WANTED)
    return [message.get_type() for part in parts for message in reader.feed(part, is_datagram=is_datagram)]


@pytest.mark.parametrize(
    "packet",
    [heartbeat(), heartbeat(is_first_version=True), signed()],
    ids=["MAVLink 2", "MAVLink 1", "signed"],
)
@pytest.mark.parametrize("is_datagram", [True, False], ids=["datagram", "stream"])
def test_a_packet_of_either_version_is_read(packet: bytes, is_datagram: bool) -> None:
    assert read(packet, is_datagram=is_datagram) == ["HEARTBEAT"]
    assert read(packet + packet, packet, is_datagram=is_datagram) == 3 * ["HEARTBEAT"]


def test_a_stream_may_be_cut_anywhere_and_a_datagram_nowhere() -> None:
    single = [bytes([byte]) for byte in heartbeat() + heartbeat()]
    assert read(*single) == 2 * ["HEARTBEAT"]
    assert read(*single, is_datagram=True) == []


def test_telemetry_is_skipped() -> None:
    assert read(telemetry() + heartbeat() + telemetry()) == ["HEARTBEAT"]


@pytest.mark.parametrize(
    "noise",
    [
        pytest.param(b"hello", id="text"),
        pytest.param(heartbeat()[:-3], id="a packet that was cut"),
        pytest.param(heartbeat()[:-1] + b"\0", id="a wrong checksum"),
        pytest.param(b"\xfd\xff\x00\x00", id="a header that promises much"),
        pytest.param(b"\xfd\x09\x80" + heartbeat()[3:], id="flags that are not known"),
        pytest.param(b"\xfd\xfe\xfd\xfe", id="nothing but markers"),
    ],
)
def test_a_packet_after_noise_is_read(noise: bytes) -> None:
    assert read(noise + heartbeat(), is_datagram=True) == ["HEARTBEAT"]
    # In a stream more must come before a header that promises much can be known as noise.
    assert read(noise + heartbeat(), 12 * telemetry()) == ["HEARTBEAT"]


def test_a_thousand_bytes_flipped_at_random_lose_no_more_packets_than_they_hit() -> None:
    rng = random.Random(0)
    stream = bytearray(heartbeat() * 5000)
    places = rng.sample(range(len(stream)), 1000)
    for place in places:
        stream[place] ^= 1 << rng.randrange(8)
    hit = {place // len(heartbeat()) for place in places}
    found = read(*(bytes(stream[place : place + 100]) for place in range(0, len(stream), 100)), 20 * telemetry())
    assert len(found) == 5000 - len(hit)


@pytest.mark.parametrize("is_datagram", [True, False], ids=["datagrams", "stream"])
def test_ten_thousand_random_and_truncated_packets_are_survived_without_growth(is_datagram: bool) -> None:
    rng = random.Random(1)
    reader = PacketReader(D, WANTED)
    command = packed(D.MAVLink_command_long_message(1, 100, 2005, 0, 0.1, 0.1, 0.3, 0.3, 0, 0, 0))
    read_count = 0
    for number in range(10_000):
        cut, noise = command[: rng.randrange(len(command))], b"\xfd" + rng.randbytes(rng.randrange(300))
        data = cut if number % 2 else noise
        read_count += len(list(reader.feed(data, is_datagram=is_datagram)))
    assert read_count == 0
    assert len(reader._held) <= 300
    assert [one.get_type() for one in reader.feed(command + 12 * telemetry(), is_datagram=is_datagram)] == [
        "COMMAND_LONG"
    ]


def test_without_pymavlink_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pymavlink.dialects.v20.common", None)
    with pytest.raises(MissingExtra, match="cannot be a MAVLink camera: pymavlink is not installed") as caught:
        load_dialect()
    assert caught.value.hint == "pip install pymavlink pyserial"
