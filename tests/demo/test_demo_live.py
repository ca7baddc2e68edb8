"""The conversation over a WebSocket."""

import json

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect


@pytest.fixture
def talker(new_parent):
    parent = new_parent()
    parent.session_id = parent.say("Hello").json()["session_id"]
    return parent


def address(demo, session):
    return f"{demo.url.replace('http', 'ws')}/ws/{session}"


def exchange(socket, message):
    socket.send(json.dumps(message))
    return json.loads(socket.recv(timeout=10))


def closed_with(socket):
    try:
        while True:
            socket.recv(timeout=10)
    except ConnectionClosed as closed:
        return closed.rcvd.code


def test_a_parent_signs_in_with_the_first_message_and_talks(demo, talker):
    with connect(address(demo, talker.session_id)) as socket:
        ready = exchange(socket, {"token": talker.tokens["access_token"]})
        assert ready == {"ready": True, "session_id": talker.session_id}
        turn = exchange(socket, {"text": "Can we play a game?"})
    assert set(turn) == {"id", "session_id", "reply", "filtered"}
    assert talker.http.get(f"/api/session/{talker.session_id}/history").json()["total"] == 4


def test_the_authorization_header_will_do(demo, talker):
    headers = {"Authorization": f"Bearer {talker.tokens['access_token']}"}
    with connect(address(demo, talker.session_id), additional_headers=headers) as socket:
        assert json.loads(socket.recv(timeout=10))["ready"] is True


@pytest.mark.parametrize("first", ['{"token": "wrong"}', "no json", "[]", "{}", b"\x00\x01"])
def test_without_a_valid_token_the_socket_is_closed(demo, talker, first):
    with connect(address(demo, talker.session_id)) as socket:
        socket.send(first)
        assert closed_with(socket) == 4401


def test_another_familys_session_is_not_found(demo, talker, new_parent):
    stranger = new_parent()
    with connect(address(demo, talker.session_id)) as socket:
        socket.send(json.dumps({"token": stranger.tokens["access_token"]}))
        assert closed_with(socket) == 4404


def test_a_refused_turn_is_answered_and_the_conversation_goes_on(demo, talker):
    with connect(address(demo, talker.session_id)) as socket:
        exchange(socket, {"token": talker.tokens["access_token"]})
        assert exchange(socket, {"words": "x"})["error"]["code"] == "invalid"
        talker.http.delete(f"/api/children/{talker.child_id}/consent", params={"kind": "collection"})
        assert exchange(socket, {"text": "Hello"})["error"]["code"] == "consent_required"


def test_logging_out_ends_the_conversation(demo, talker):
    with connect(address(demo, talker.session_id)) as socket:
        exchange(socket, {"token": talker.tokens["access_token"]})
        talker.http.post("/api/auth/logout")
        socket.send(json.dumps({"text": "Hello"}))
        assert closed_with(socket) == 4401
