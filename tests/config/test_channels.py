"""Streams, WebSockets and the version of HTTP in a campaign file: what they become, and each mistake."""

from __future__ import annotations

import pytest
import yaml

from campaign.config.read import read
from campaign.errors import ConfigurationError
from campaign.registry import installed
from campaign.target.spec import SocketSpec, StreamSpec


def file(operation, target=None):
    return yaml.safe_dump(
        {
            "name": "T",
            "target": {"url": "http://127.0.0.1:1", **(target or {})},
            "operations": {"it": operation},
            "users": {"u": {"tasks": ["it"]}},
            "phases": {"load": {"scenarios": {"a": {"users": 1}}}},
        }
    )


@pytest.fixture
def reading(tmp_path):
    def make(operation, target=None):
        path = tmp_path / "campaign.yaml"
        path.write_text(file(operation, target))
        return read(path, phases=installed().infos(), environ={})

    return make


STREAMS = {
    "events": StreamSpec("events"),
    "chunks": StreamSpec("chunks"),
}
MAPPINGS = [
    ({"until": "[DONE]"}, StreamSpec("events", until="[DONE]")),
    ({"kind": "chunks", "events": 3, "at_most": "20s"}, StreamSpec("chunks", events=3, at_most=20.0)),
]


@pytest.mark.parametrize(("written", "expected"), [*STREAMS.items(), *MAPPINGS], ids=str)
def test_a_stream_is_a_kind_or_a_mapping(written, expected, reading):
    operation = reading({"request": "GET /s", "stream": written}).vocabulary.operations["it"]
    assert operation.options.stream == expected
    assert operation.options.socket is None


def test_a_websocket_is_a_get_with_something_to_say(reading):
    said = {"json": {"text": "hi"}, "reply": "ok", "messages": 3, "pause": "1s", "stay": "5m"}
    operation = reading({"request": "WS /chat", "websocket": said}).vocabulary.operations["it"]
    assert (operation.method, operation.path) == ("GET", "/chat")
    expected = SocketSpec("", has_json=True, json={"text": "hi"}, reply="ok", messages=3, pause=1, stay=300)
    assert operation.options.socket == expected
    assert reading({"request": "WS /chat"}).vocabulary.operations["it"].options.socket == SocketSpec()


def test_the_version_of_http_is_part_of_the_way_to_the_target(reading):
    assert reading({"request": "GET /"}).target.connection.http == 1
    assert reading({"request": "GET /"}, {"http": 2}).target.connection.http == 2


MISTAKES = [
    ({"request": "GET /s", "stream": "event"}, {}, "did you mean"),
    ({"request": "GET /s", "stream": {"events": 0}}, {}, "operations.it.stream.events"),
    ({"request": "GET /s", "stream": {"until": ""}}, {}, "operations.it.stream.until"),
    ({"request": "GET /s", "stream": {"at_most": "30s"}}, {}, "a timeout longer than the stream's at_most"),
    ({"request": "GET /s", "websocket": {"send": "x"}}, {}, "a request such as WS /path beside websocket"),
    ({"request": "WS /s", "json": {}}, {}, "send or json under websocket"),
    ({"request": "WS /s", "stream": "events"}, {}, "an HTTP request beside stream"),
    ({"request": "WS /s", "websocket": {"send": "x", "json": None}}, {}, "one of send and json"),
    ({"request": "WS /s", "websocket": {"messages": 3}}, {}, "send or json beside messages"),
    ({"request": "WS /s", "websocket": {"send": "{{ nothing }}"}}, {}, "operations.it.websocket.send"),
    ({"request": "WS /s", "websocket": {"send": "x", "reply": "{{ 1 + }}"}}, {}, "it.websocket.reply"),
    ({"request": "ws /s"}, {}, "a method and a path"),
    ({"request": "GET /s"}, {"http": 3}, "1 or 2"),
    ({"request": "GET /s"}, {"health": "WS /s"}, "target.health"),
    ({"request": "GET /s"}, {"http": 2, "proxy": "http://127.0.0.1:3128"}, "HTTP/2 goes through a proxy"),
]


@pytest.mark.parametrize(("operation", "target", "told"), MISTAKES, ids=lambda each: str(each)[:40])
def test_each_mistake_is_told_with_its_place(operation, target, told, reading):
    with pytest.raises(ConfigurationError) as caught:
        reading(operation, target)
    assert told in str(caught.value)
