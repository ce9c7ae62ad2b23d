from __future__ import annotations

import math

import pytest

from eatrack_edge.core.errors import ConfigError, UsageError
from eatrack_edge.ground.mavlink.camera_options import MavlinkOptions
from eatrack_edge.session.commands import Select, SelectPoint, Stop, new_selection_id
from eatrack_edge.session.events import EndEvent, SelectionEvent, SourceFoundEvent, SourceLostEvent, StateEvent
from ground.mavlink.simulated_station import BOX, PEER, Conversation, D, frame_event, of, result

NAN = math.nan
ACCEPTED, TEMPORARILY_REJECTED, DENIED, UNSUPPORTED, FAILED, IN_PROGRESS = range(6)
REQUEST, INTERVAL = D.MAV_CMD_REQUEST_MESSAGE, D.MAV_CMD_SET_MESSAGE_INTERVAL
RECTANGLE, POINT, STOP = D.MAV_CMD_CAMERA_TRACK_RECTANGLE, D.MAV_CMD_CAMERA_TRACK_POINT, D.MAV_CMD_CAMERA_STOP_TRACKING
STATUS = "CAMERA_TRACKING_IMAGE_STATUS"


@pytest.fixture
def talk() -> Conversation:
    return Conversation(streams=["rtsp://:8554/eatrack"])


def test_the_heartbeat_is_a_cameras_and_comes_once_a_second(talk: Conversation) -> None:
    beats = of("HEARTBEAT", talk.wait(5))
    assert 5 <= len(beats) <= 6
    assert {(beat.type, beat.autopilot) for beat in beats} == {(D.MAV_TYPE_CAMERA, D.MAV_AUTOPILOT_INVALID)}
    assert all(one.peer is None for one in talk.out)


@pytest.mark.parametrize(
    ("command", "parameters", "kind"),
    [
        pytest.param(REQUEST, (259,), "CAMERA_INFORMATION", id="259"),
        pytest.param(521, (1,), "CAMERA_INFORMATION", id="old 521"),
        pytest.param(REQUEST, (260,), "CAMERA_SETTINGS", id="260"),
        pytest.param(522, (1,), "CAMERA_SETTINGS", id="old 522"),
        pytest.param(REQUEST, (269, 0), "VIDEO_STREAM_INFORMATION", id="269, all streams"),
        pytest.param(REQUEST, (269, 1), "VIDEO_STREAM_INFORMATION", id="269, stream 1"),
        pytest.param(REQUEST, (269, NAN), "VIDEO_STREAM_INFORMATION", id="269, NaN"),
        pytest.param(2504, (0,), "VIDEO_STREAM_INFORMATION", id="old 2504"),
        pytest.param(REQUEST, (270, 1), "VIDEO_STREAM_STATUS", id="270"),
        pytest.param(2505, (1,), "VIDEO_STREAM_STATUS", id="old 2505"),
        pytest.param(REQUEST, (262,), "CAMERA_CAPTURE_STATUS", id="262"),
        pytest.param(527, (1,), "CAMERA_CAPTURE_STATUS", id="old 527"),
        pytest.param(REQUEST, (261,), "STORAGE_INFORMATION", id="261"),
        pytest.param(525, (0, 1), "STORAGE_INFORMATION", id="old 525"),
        pytest.param(REQUEST, (275,), STATUS, id="275"),
        pytest.param(REQUEST, (259, *(6 * [NAN])), "CAMERA_INFORMATION", id="NaN in the rest, as MAVSDK sends it"),
    ],
)
@pytest.mark.parametrize("as_int", [False, True], ids=["COMMAND_LONG", "COMMAND_INT"])
def test_what_stations_ask_is_accepted_and_sent(
    talk: Conversation, command: int, parameters: tuple[float, ...], kind: str, as_int: bool
) -> None:
    if as_int:
        parameters = tuple(0.0 if math.isnan(value) and place > 3 else value for place, value in enumerate(parameters))
    ack, message, *_ = talk.ask(command, *parameters, as_int=as_int)
    assert (ack.get_type(), ack.command, ack.result) == ("COMMAND_ACK", command, ACCEPTED)
    assert (ack.target_system, ack.target_component) == (255, 190)
    assert message.get_type() == kind


@pytest.mark.parametrize(
    ("command", "parameters", "expected"),
    [
        pytest.param(REQUEST, (33,), UNSUPPORTED, id="a message of the vehicle"),
        pytest.param(REQUEST, (NAN,), UNSUPPORTED, id="no number"),
        pytest.param(REQUEST, (259.5,), UNSUPPORTED, id="half a number"),
        pytest.param(REQUEST, (1e30,), UNSUPPORTED, id="a huge number"),
        pytest.param(REQUEST, (269, 2), DENIED, id="a second stream"),
        pytest.param(INTERVAL, (33, 500000), UNSUPPORTED, id="the rate of another message"),
        pytest.param(INTERVAL, (275, NAN), DENIED, id="no rate"),
        pytest.param(INTERVAL, (275, math.inf), DENIED, id="an infinite interval"),
        pytest.param(INTERVAL, (275, -2), DENIED, id="a negative interval"),
        pytest.param(D.MAV_CMD_SET_CAMERA_MODE, (0, 1), UNSUPPORTED, id="a mode that it has not"),
        pytest.param(D.MAV_CMD_COMPONENT_ARM_DISARM, (1,), UNSUPPORTED, id="arming is the vehicle's"),
        pytest.param(31010, (), UNSUPPORTED, id="a command of a user"),
        pytest.param(2503, (1,), UNSUPPORTED, id="the stream cannot be stopped"),
        pytest.param(2502, (1,), ACCEPTED, id="the stream runs"),
    ],
)
def test_what_it_does_not_do_is_refused_with_the_reason(
    talk: Conversation, command: int, parameters: tuple[float, ...], expected: int
) -> None:
    assert [message.result for message in talk.ask(command, *parameters)] == [expected]
    assert talk.commands == []


@pytest.mark.parametrize(
    ("target", "sender"),
    [
        pytest.param((2, 100), (255, 190), id="another system"),
        pytest.param((1, 101), (255, 190), id="another camera"),
        pytest.param((1, 1), (255, 190), id="the autopilot"),
        pytest.param((1, 100), (1, 100), id="its own packet, led back"),
        pytest.param((1, 100), (0, 190), id="a sender without a number"),
        pytest.param((1, 0), (255, 190), id="all components"),
        pytest.param((0, 0), (255, 190), id="everybody"),
        pytest.param((0, 100), (255, 190), id="this component of all systems"),
    ],
)
@pytest.mark.parametrize("command", [RECTANGLE, STOP, D.MAV_CMD_COMPONENT_ARM_DISARM, INTERVAL])
def test_a_command_for_others_gets_no_answer_and_does_nothing(
    talk: Conversation, target: tuple[int, int], sender: tuple[int, int], command: int
) -> None:
    assert talk.ask(command, 0.1, 0.1, 0.3, 0.3, target=target, sender=sender) == []
    assert talk.commands == []


def test_a_question_to_all_components_is_answered_where_there_is_an_answer(talk: Conversation) -> None:
    assert result(talk.ask(REQUEST, 259, target=(1, 0))) == ACCEPTED
    assert talk.ask(REQUEST, 33, target=(1, 0)) == []


def test_the_information_says_what_is_served_and_nothing_else(talk: Conversation) -> None:
    _, information, stream = talk.ask(REQUEST, 259)
    flags = D.CAMERA_CAP_FLAGS_HAS_TRACKING_POINT | D.CAMERA_CAP_FLAGS_HAS_TRACKING_RECTANGLE
    assert information.flags == flags | D.CAMERA_CAP_FLAGS_HAS_VIDEO_STREAM
    assert (information.resolution_h, information.resolution_v) == (640, 480)
    assert information.cam_definition_uri == ""
    assert stream.get_type() == "VIDEO_STREAM_INFORMATION"  # unasked, for stations that ask seldom
    assert (stream.stream_id, stream.count, stream.type) == (1, 1, D.VIDEO_STREAM_TYPE_RTSP)
    assert stream.uri == "rtsp://192.168.144.20:8554/eatrack"


def test_several_streams_are_numbered_and_asked_for_together_or_alone() -> None:
    talk = Conversation(streams=["rtp://192.168.144.11:5600", "udp://192.168.144.11:5000"])
    _, *both = talk.ask(REQUEST, 269, 0)
    assert [(one.stream_id, one.count, one.type, one.uri) for one in both] == [
        (1, 2, D.VIDEO_STREAM_TYPE_RTPUDP, "5600"),
        (2, 2, D.VIDEO_STREAM_TYPE_MPEG_TS, "5000"),
    ]
    _, second = talk.ask(REQUEST, 270, 2)
    assert second.stream_id == 2


@pytest.mark.parametrize("uri", ["http://10.0.0.1/live", "rtp://10.0.0.1", "rtp://10.0.0.1:video", "5600"])
def test_a_stream_that_stations_do_not_know_is_refused(uri: str) -> None:
    with pytest.raises(UsageError, match=f"stations need a stream of rtsp, rtp or udp with a port, got `{uri}`"):
        MavlinkOptions(stream_uri=uri)


def test_without_a_stream_none_is_announced() -> None:
    talk = Conversation()
    _, information = talk.ask(REQUEST, 259)
    assert not information.flags & D.CAMERA_CAP_FLAGS_HAS_VIDEO_STREAM
    assert result(talk.ask(REQUEST, 269)) == UNSUPPORTED
    assert result(talk.ask(2502, 1)) == UNSUPPORTED


def test_the_size_of_the_picture_is_sent_when_it_is_known() -> None:
    talk = Conversation(first_frame=False)
    _, information = talk.ask(REQUEST, 259)
    assert (information.resolution_h, information.resolution_v) == (0, 0)
    talk.see(frame_event())
    assert [(one.message.resolution_h, one.peer) for one in of_out(talk, "CAMERA_INFORMATION")][-1] == (640, None)


def of_out(talk: Conversation, kind: str) -> list[object]:
    return [one for one in talk.out if one.message.get_type() == kind]


def test_a_rectangle_is_acknowledged_when_the_session_tracks_it(talk: Conversation) -> None:
    assert talk.ask(RECTANGLE, 0.25, 0.25, 0.5, 0.75) == []
    assert [one._replace(id=None) for one in talk.commands] == [Select((160.0, 120.0, 160.0, 240.0))]
    (ack,) = talk.settle()
    assert (ack.command, ack.result, ack.target_system, ack.target_component) == (RECTANGLE, ACCEPTED, 255, 190)


def test_a_rectangle_that_the_session_refuses_is_denied(talk: Conversation) -> None:
    talk.ask(RECTANGLE, 0.25, 0.25, 0.5, 0.5)
    assert result(talk.settle(is_refused=True)) == DENIED
    assert of(STATUS, talk.wait(0.1)) == []


def test_the_status_has_the_selected_box_before_the_next_frame_has_one(talk: Conversation) -> None:
    talk.ask(RECTANGLE, 0.25, 0.25, 0.5, 0.75)
    talk.settle()
    _, status = talk.ask(REQUEST, 275)
    assert status.tracking_status == 1
    assert (status.rec_top_x, status.rec_bottom_y) == pytest.approx((0.1, 0.3), abs=1e-6)


@pytest.mark.parametrize("is_own", [True, False], ids=["of this station", "of the browser"])
@pytest.mark.parametrize("before", ["WAITING", "TRACKING"])
@pytest.mark.parametrize("state", ["TRACKING", "UNCERTAIN"])
def test_the_status_has_the_selected_box_while_a_late_selection_catches_up(
    talk: Conversation, is_own: bool, before: str, state: str
) -> None:
    talk.see(frame_event(before, (1.0, 1.0, 9.0, 9.0) if before == "TRACKING" else None))
    talk.wait(0.1)
    talk.ask(RECTANGLE, 0.25, 0.25, 0.5, 0.75)
    talk.settle() if is_own else talk.see(SelectionEvent(7, "", False, 0, BOX))
    seen = talk.wait(0.1)
    for _ in range(24):  # 0.8 s of frames that come meanwhile
        talk.see(frame_event(state, None, NAN))
        seen += talk.wait(1 / 30, 1 / 30)
    _, status = talk.ask(REQUEST, 275)
    assert status.tracking_status == 1
    assert (status.rec_top_x, status.rec_bottom_y) == pytest.approx((0.1, 0.3), abs=1e-6)
    assert {one.tracking_status for one in of(STATUS, seen)} <= {1}
    for _ in range(60):  # it never arrives
        talk.see(frame_event(state, None, NAN))
        seen += talk.wait(1 / 30, 1 / 30)
    assert [one.tracking_status for one in of(STATUS, seen)][-2:] == [2, 0]


def test_what_is_lost_while_it_catches_up_is_lost(talk: Conversation) -> None:
    talk.ask(RECTANGLE, 0.25, 0.25, 0.5, 0.75)
    talk.settle()
    talk.wait(0.1)
    talk.see(frame_event("LOST", None, NAN))
    assert [one.tracking_status for one in of(STATUS, talk.wait(1.0))] == [2, 0]


@pytest.mark.parametrize(
    "corners",
    [
        pytest.param((0.6, 0.2, 0.4, 0.4), id="inverted"),
        pytest.param((NAN, 0, 1, 1), id="NaN"),
        pytest.param((0, 0, math.inf, 1), id="infinite"),
        pytest.param((1.2, 1.2, 1.4, 1.4), id="outside"),
        pytest.param((0.5, 0.5, 0.5, 0.5), id="empty"),
        pytest.param((1.0, 0.2, 1.005, 0.4), id="beside the edge"),
    ],
)
def test_a_rectangle_that_is_none_is_denied_at_once(talk: Conversation, corners: tuple[float, ...]) -> None:
    assert result(talk.ask(RECTANGLE, *corners)) == DENIED
    assert talk.commands == []


@pytest.mark.parametrize("radius", [0.02, NAN, -1])
def test_a_point_selects_what_the_tracker_proposes_there(talk: Conversation, radius: float) -> None:
    assert talk.ask(POINT, 0.5, 1.0, radius) == []
    assert [one._replace(id=None) for one in talk.commands] == [SelectPoint(320.0, 479.0)]
    assert result(talk.settle()) == ACCEPTED


def test_a_point_that_is_none_is_denied(talk: Conversation) -> None:
    assert result(talk.ask(POINT, NAN, 0.5, 0.1)) == DENIED
    assert result(talk.ask(POINT, 1.5, 0.5, 0.1)) == DENIED
    assert talk.commands == []


def test_before_the_first_frame_and_without_a_source_a_selection_is_rejected_for_now() -> None:
    talk = Conversation(first_frame=False)
    assert result(talk.ask(RECTANGLE, 0.2, 0.2, 0.4, 0.4)) == TEMPORARILY_REJECTED
    talk.see(frame_event())
    talk.see(SourceLostEvent("unplugged", 0))
    assert result(talk.ask(RECTANGLE, 0.2, 0.2, 0.4, 0.4)) == TEMPORARILY_REJECTED
    talk.see(SourceFoundEvent("PyAV", 1.0, 0))
    assert talk.ask(RECTANGLE, 0.2, 0.2, 0.4, 0.4) == []
    assert len(talk.commands) == 1


def test_a_slow_selection_is_in_progress_and_one_without_an_answer_fails(talk: Conversation) -> None:
    talk.ask(RECTANGLE, 0.2, 0.2, 0.4, 0.4)
    assert [ack.result for ack in of("COMMAND_ACK", talk.wait(3))] == [IN_PROGRESS]
    assert [ack.result for ack in of("COMMAND_ACK", talk.wait(8))] == [FAILED]
    assert talk.settle() == []


def test_an_answer_goes_to_the_selection_that_it_is_for(talk: Conversation) -> None:
    """Another user selects at the same moment, and the session answers out of order: no acknowledgement is swapped."""
    talk.ask(RECTANGLE, 0.2, 0.2, 0.4, 0.4)
    talk.ask(POINT, 0.5, 0.5, 0.02, sender=(254, 190))
    talk.see(SelectionEvent(7, "", False, 0, BOX))  # of somebody who waits for no answer
    talk.see(SelectionEvent(7, "", False, 0, BOX, new_selection_id()))  # of the browser, or of another link
    assert talk.out == []
    (point,) = talk.settle(1, is_refused=True)
    assert (point.command, point.result, point.target_system) == (POINT, DENIED, 254)
    (rectangle,) = talk.settle(0)
    assert (rectangle.command, rectangle.result, rectangle.target_system) == (RECTANGLE, ACCEPTED, 255)
    assert talk.settle(0) == []


def test_a_late_answer_is_not_that_of_the_same_rectangle_drawn_again(talk: Conversation) -> None:
    talk.ask(RECTANGLE, 0.2, 0.2, 0.4, 0.4)
    talk.now_s += 3
    talk.ask(RECTANGLE, 0.2, 0.2, 0.4, 0.4)
    assert result(talk.settle(0, is_refused=True)) == DENIED
    assert talk.ask(RECTANGLE, 0.2, 0.2, 0.4, 0.4, confirmation=1) == []  # the second one has no answer yet
    assert result(talk.settle(1)) == ACCEPTED
    assert result(talk.ask(RECTANGLE, 0.2, 0.2, 0.4, 0.4, confirmation=2)) == ACCEPTED


def test_a_retry_is_acknowledged_again_and_not_carried_out_again(talk: Conversation) -> None:
    talk.ask(RECTANGLE, 0.2, 0.2, 0.4, 0.4)
    talk.settle()
    for confirmation in (1, 2):
        talk.now_s += 3
        assert result(talk.ask(RECTANGLE, 0.2, 0.2, 0.4, 0.4, confirmation=confirmation)) == ACCEPTED
    assert len(talk.commands) == 1


def test_a_retry_whose_first_try_was_lost_is_carried_out(talk: Conversation) -> None:
    assert talk.ask(RECTANGLE, 0.2, 0.2, 0.4, 0.4, confirmation=2) == []
    assert len(talk.commands) == 1


def test_a_packet_that_the_network_doubled_is_carried_out_once(talk: Conversation) -> None:
    for peer in (PEER, ("10.0.0.7", 14550)):  # even along another way
        assert talk.ask(RECTANGLE, 0.2, 0.2, 0.4, 0.4, peer=peer) == []
    assert len(talk.commands) == 1
    assert result(talk.settle()) == ACCEPTED


@pytest.mark.parametrize(
    ("first", "second", "seconds", "sender"),
    [
        pytest.param((0.2, 0.2, 0.4, 0.4), (0.2, 0.2, 0.4, 0.5), 1, (255, 190), id="another rectangle"),
        pytest.param((0.2, 0.2, 0.4, 0.4), (0.2, 0.2, 0.4, 0.4), 3, (255, 190), id="the same, drawn again later"),
        pytest.param((0.2, 0.2, 0.4, 0.4), (0.2, 0.2, 0.4, 0.4), 1, (254, 190), id="the same, by another station"),
    ],
)
def test_what_is_meant_as_a_new_selection_is_carried_out(
    talk: Conversation, first: tuple[float, ...], second: tuple[float, ...], seconds: float, sender: tuple[int, int]
) -> None:
    talk.ask(RECTANGLE, *first)
    talk.settle()
    talk.now_s += seconds
    talk.ask(RECTANGLE, *second, sender=sender)
    assert len(talk.commands) == 2


def test_a_denied_retry_is_denied_again(talk: Conversation) -> None:
    talk.ask(RECTANGLE, 0.2, 0.2, 0.4, 0.4)
    talk.settle(is_refused=True)
    talk.now_s += 3
    assert result(talk.ask(RECTANGLE, 0.2, 0.2, 0.4, 0.4, confirmation=1)) == DENIED
    assert len(talk.commands) == 1


def test_stop_always_stops(talk: Conversation) -> None:
    for confirmation in (0, 0, 1):
        assert result(talk.ask(STOP, confirmation=confirmation)) == ACCEPTED
    assert talk.commands == [Stop(), Stop(), Stop()]


def test_the_status_comes_at_the_rate_asked_for_with_the_confidence(talk: Conversation) -> None:
    talk.see(frame_event("TRACKING", BOX, 0.75))
    assert result(talk.ask(INTERVAL, 275, 500_000)) == ACCEPTED
    sent = []
    for _ in range(60):  # three seconds, with a frame every 50 ms
        talk.see(frame_event("TRACKING", BOX, 0.75))
        sent += talk.wait(0.05)
    assert 6 <= len(of(STATUS, sent)) <= 8
    assert {round(one.value, 3) for one in of("NAMED_VALUE_FLOAT", sent)} == {0.75}
    status = of(STATUS, sent)[-1]
    assert status.tracking_status == D.CAMERA_TRACKING_STATUS_FLAGS_ACTIVE
    assert status.tracking_mode == D.CAMERA_TRACKING_MODE_RECTANGLE
    assert status.target_data == D.CAMERA_TRACKING_TARGET_DATA_IN_STATUS
    corners = (status.rec_top_x, status.rec_top_y, status.rec_bottom_x, status.rec_bottom_y)
    assert corners == pytest.approx((0.1, 0.1, 0.3, 0.3), abs=1e-6)
    assert math.isnan(status.point_x)
    assert result(talk.ask(INTERVAL, 275, -1)) == ACCEPTED
    assert of(STATUS, talk.wait(1.0)) == []


def test_a_rate_of_zero_is_the_cameras_own(talk: Conversation) -> None:
    talk.ask(INTERVAL, 275, 0)
    assert 4 <= len(of(STATUS, talk.wait(2.0))) <= 5


def test_each_peer_has_a_rate_of_its_own_and_stations_behind_one_router_share_the_faster(talk: Conversation) -> None:
    router = ("127.0.0.1", 14540)
    talk.ask(INTERVAL, 275, 1_000_000)
    talk.ask(INTERVAL, 275, 500_000, peer=router)
    talk.ask(INTERVAL, 275, 250_000, peer=router, sender=(254, 190))
    talk.out.clear()
    talk.wait(4)
    counts = {peer: sum(one.peer == peer for one in of_out(talk, STATUS)) for peer in (PEER, router)}  # type: ignore[attr-defined]
    assert 4 <= counts[PEER] <= 5
    assert 16 <= counts[router] <= 17
    talk.ask(INTERVAL, 275, -1, peer=router, sender=(254, 190))
    talk.out.clear()
    talk.wait(4)
    assert 8 <= sum(one.peer == router for one in of_out(talk, STATUS)) <= 9  # type: ignore[attr-defined]
    talk.camera.forget(router)
    talk.out.clear()
    talk.wait(2)
    assert not any(one.peer == router for one in talk.out)


@pytest.mark.parametrize(
    ("state", "coasting", "expected"),
    [
        pytest.param("TRACKING", False, [1], id="TRACKING"),
        pytest.param("REACQUIRED", False, [1], id="REACQUIRED"),
        pytest.param("UNCERTAIN", False, [1], id="UNCERTAIN"),
        pytest.param("UNCERTAIN", True, [9], id="UNCERTAIN, reported as coasting"),
        pytest.param("WAITING", False, [], id="WAITING"),
        pytest.param("LOST", False, [], id="LOST from nothing"),
        pytest.param("SOMETHING_NEW", False, [], id="a state that is not known"),
    ],
)
def test_a_change_of_the_status_is_sent_unasked(state: str, coasting: bool, expected: list[int]) -> None:
    talk = Conversation(coasting=coasting)
    talk.see(frame_event(state, BOX))
    assert [one.tracking_status for one in of(STATUS, talk.wait(0.2))] == expected


@pytest.mark.parametrize("state", ["LOST", "SOMETHING_NEW"])
def test_a_loss_is_an_error_once_and_then_idle(talk: Conversation, state: str) -> None:
    talk.see(frame_event("TRACKING", BOX))
    talk.wait(0.1)
    talk.see(frame_event(state, BOX))
    status = of(STATUS, talk.wait(1.0))
    assert [one.tracking_status for one in status] == [2, 0]
    assert all(one.tracking_mode == 0 and math.isnan(one.rec_top_x) for one in status)
    talk.see(frame_event("REACQUIRED", BOX))
    assert [one.tracking_status for one in of(STATUS, talk.wait(1.0))] == [1]


def test_a_target_without_results_for_two_seconds_is_lost(talk: Conversation) -> None:
    talk.see(frame_event("TRACKING", BOX))
    assert [one.tracking_status for one in of(STATUS, talk.wait(4.0))] == [1, 2, 0]


@pytest.mark.parametrize("event", [StateEvent("WAITING", "TRACKING", 7, 0), EndEvent({})], ids=["stop", "end"])
def test_stop_and_the_end_of_the_session_are_idle_at_once(talk: Conversation, event: object) -> None:
    talk.see(frame_event("TRACKING", BOX))
    talk.wait(0.1)
    talk.see(event)
    assert [one.tracking_status for one in of(STATUS, talk.wait(0.1))] == [0]


def test_a_box_over_the_edge_is_cut_off_there(talk: Conversation) -> None:
    talk.see(frame_event("TRACKING", (-20.0, 400.0, 100.0, 200.0)))
    (status,) = of(STATUS, talk.wait(0.1))
    assert (status.rec_top_x, status.rec_bottom_y) == (0.0, 1.0)


def test_numbers_that_no_camera_has_are_refused() -> None:
    with pytest.raises(ConfigError, match="component of a MAVLink camera must be 100 to 105, got 1"):
        MavlinkOptions(component=1)
    with pytest.raises(ConfigError, match="system of a MAVLink camera must be 1 to 255, got 0"):
        MavlinkOptions(system=0)


def test_a_flood_of_selections_does_not_grow_the_memory(talk: Conversation) -> None:
    for number in range(2000):
        talk.ask(RECTANGLE, 0.1, 0.1, 0.3, 0.3 + number / 4000, sender=(number % 255 + 1, 190))
        talk.ask(INTERVAL, 275, 1e6, sender=(number % 255 + 1, 190), peer=("10.0.0.1", number))
    assert len(talk.commands) == 16  # those that the session has not answered
    assert len(talk.camera._rates._intervals) == len(talk.camera._rates._due) == 32
    assert len(talk.camera._repeats._known) <= 64
