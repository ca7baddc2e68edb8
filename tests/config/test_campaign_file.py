# ruff: noqa: E501, PLR0917 - a table reads best with one case per line
"""A campaign file that is right becomes a Campaign, with everything it says."""

from pathlib import Path

import pytest

from campaign.config import Campaign, MonitorSettings, read
from campaign.scoring import DEFAULT_WEIGHTS
from campaign.target.journey import Do, TaskSpec, WaitSpec
from campaign.target.spec import BodySpec, ExpectSpec, FeedSpec, OptionsSpec, PartSpec, UserSpec


def operation(read_text, good, text):
    """The operation `extra`, made of `text`."""
    return read_text(good.replace("users:\n", f"  extra: {text}\nusers:\n", 1)).vocabulary.operations["extra"]


def test_the_parts_of_a_file_arrive_where_they_belong(read_text, good):
    campaign = read_text(good)
    assert isinstance(campaign, Campaign)
    assert (campaign.name, campaign.target.url, campaign.source) == (
        "A campaign",
        "http://127.0.0.1:8000",
        "campaign.yaml",
    )
    assert list(campaign.vocabulary.operations) == ["login", "converse"]
    assert campaign.vocabulary.users == {
        "curious_child": UserSpec(
            "curious_child",
            1.0,
            WaitSpec(1.0, 3.0),
            (Do("login"),),
            {"converse": TaskSpec.of("converse", 5.0), "login": TaskSpec.of("login")},
        )
    }
    assert campaign.vocabulary.feeds == {"prompt": FeedSpec("prompt", ("Hello", "Why?"), "in_turn")}
    (planned,) = campaign.phases
    assert (planned.label, planned.kind, planned.settings.scenarios["peak"].hold) == ("try", "try", 120.0)
    assert campaign.monitor == MonitorSettings(1.0)


def test_scoring_keeps_the_defaults_that_a_file_does_not_name(read_text, good):
    plain = read_text(good).scoring
    assert (plain.weights, plain.required, plain.pass_mark) == (
        DEFAULT_WEIGHTS, ("load", "database", "failover", "safety"), 80.0,
    )  # fmt: skip
    changed = read_text(
        good + "scoring: {weights: {safety: 50, try: 1}, required: [try], pass: 90}\n"
    ).scoring
    assert changed.weights == {**DEFAULT_WEIGHTS, "safety": 50.0, "try": 1.0}
    assert (changed.required, changed.pass_mark) == (("try",), 90.0)


def test_an_operation_says_all_that_a_request_needs(read_text, good):
    text = (
        "{request: PUT /api/x, query: {limit: 20, deep: true}, headers: {X-Kind: 7}, auth: abcdef, form: {a: 1},"
        " expect: {status: [200, 3xx], json: {$.id: ..., $.n: null, $.list: [1]}, header: {content-type: json},"
        " contains: ok, max_size: 1KiB}, save: {id: '$.items[0].id'}, timeout: 5s, redirects: 0, max_body: 1MiB, tags: [slow]}"
    )
    read = operation(read_text, good, text)
    assert (read.method, read.path, read.query) == ("PUT", "/api/x", {"limit": "20", "deep": "true"})
    assert (read.headers, read.auth, read.save) == ({"X-Kind": "7"}, "abcdef", {"id": "$.items[0].id"})
    assert read.body == BodySpec(form={"a": "1"})
    assert read.expect == ExpectSpec(
        (200, "3xx"), {"$.id": ..., "$.n": None, "$.list": [1]}, {"content-type": "json"}, ("ok",), 1024
    )
    assert read.options == OptionsSpec(5.0, 0, 2**20, frozenset({"slow"}))


@pytest.mark.parametrize(
    ("text", "status"),
    [("201", (201,)), ("2xx", ("2xx",)), ("[200, '404']", (200, 404)), ("{status: 5xx}", ("5xx",))],
)
def test_an_expectation_may_be_the_status_alone(read_text, good, text, status):
    assert operation(read_text, good, f"{{request: GET /, expect: {text}}}").expect == ExpectSpec(status)


@pytest.mark.parametrize(
    ("body", "spec"),
    [
        ("json: null", BodySpec(has_json=True)),
        ("json: {a: [1, 2.5, true, null]}", BodySpec(has_json=True, json={"a": [1, 2.5, True, None]})),
        ("json: '{{ token }}'", BodySpec(has_json=True, json="{{ token }}")),
        ("body: raw text", BodySpec(raw="raw text")),
        ("multipart: {a: text}", BodySpec(multipart=(PartSpec("a", "text"),))),
        (
            "multipart: {a: {text: x, filename: a.txt, type: text/plain}}",
            BodySpec(multipart=(PartSpec("a", "x", "", "a.txt", "text/plain"),)),
        ),
    ],
)
def test_a_body_has_one_of_four_kinds(read_text, good, body, spec):
    assert operation(read_text, good, f"{{request: POST /, {body}}}").body == spec


def test_the_target_may_have_further_hosts_stores_and_a_certificate(read_text, good, tmp_path):
    ca = tmp_path / "ca.pem"
    ca.write_text("x")
    extra = (
        "  services: {speech: https://speech.example/v1/, other: {url: 'http://[::1]:9', auth: '{{ token }}'}}\n"
        f"  tls: {{verify: false, ca: {ca}}}\n"
        "  allow_hosts: [Speech.Example, 203.0.113.0/24, '2001:db8::1']\n"
        "  health: /up\n  metrics: https://metrics.example/m\n  containers: {service: teddy-api}\n"
        "  database: sqlite:///x.db\n  redis:\n"
    )
    target = read_text(good.replace("operations:\n", f"{extra}operations:\n", 1)).target
    assert {name: (each.url, each.auth) for name, each in target.services.items()} == {
        "speech": ("https://speech.example/v1", ""),
        "other": ("http://[::1]:9", "{{ token }}"),
    }
    assert (target.tls.verify, target.tls.ca) == (False, str(ca))
    assert target.allow_hosts == {"speech.example", "203.0.113.0/24", "2001:db8::1"}
    assert (target.health, target.metrics) == ("GET /up", "https://metrics.example/m")
    assert (target.stores, target.containers) == ({"database": "sqlite:///x.db"}, {"service": "teddy-api"})


def test_a_list_of_tasks_gives_equal_weights(read_text, good):
    campaign = read_text(good.replace("{converse: 5, login: 1}", "[converse, login]"))
    assert campaign.vocabulary.users["curious_child"].tasks == {
        name: TaskSpec.of(name) for name in ("converse", "login")
    }


def test_a_label_may_differ_from_its_phase_and_settings_may_be_empty(read_text, good):
    text = good[: good.index("phases:")] + "phases:\n  try:\n  again: {phase: try, workers: 3}\n"
    campaign = read_text(text)
    assert [(each.label, each.kind, each.settings.workers) for each in campaign.phases] == [
        ("try", "try", 1), ("again", "try", 3),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "values"),
    [
        ("p.txt", "one\n\n  two \n", ("one", "two")),
        ("p.txt", "\ufeffone", ("one",)),
        ("p.csv", 'who,what\nAda,"a, b"\n', ({"who": "Ada", "what": "a, b"},)),
        ("p.json", '["a", {"b": 1}]', ("a", {"b": 1})),
        ("p.jsonl", '"a"\n{"b": 1}\n', ("a", {"b": 1})),
    ],
)
@pytest.mark.parametrize("form", ["data: {prompt: %s}", "data: {prompt: {file: %s, order: once}}"])
def test_a_feed_is_read_from_a_file_beside_the_campaign(infos, good, tmp_path, name, content, values, form):
    (tmp_path / name).write_text(content, encoding="utf-8")
    path = tmp_path / "c.yaml"
    path.write_text(good.replace('data:\n  prompt: [Hello, "Why?"]', form % name))
    feed = read(path, phases=infos, environ={}).vocabulary.feeds["prompt"]
    assert (feed.values, feed.order) == (values, "once" if "once" in form else "in_turn")


def test_a_file_of_a_multipart_body_is_found_beside_the_campaign(infos, good, tmp_path):
    (tmp_path / "voice.wav").write_bytes(b"RIFF")
    path = tmp_path / "c.yaml"
    path.write_text(
        good.replace('json: {text: "{{ prompt }}"}', "multipart: {voice: {file: voice.wav, type: audio/wav}}")
    )
    parts = read(path, phases=infos, environ={}).vocabulary.operations["converse"].body.multipart
    assert parts == (PartSpec("voice", "", str(tmp_path / "voice.wav"), "", "audio/wav"),)


def test_a_path_is_shown_as_short_as_it_can_be(infos, good, tmp_path, monkeypatch):
    (tmp_path / "c.yaml").write_text(good)
    monkeypatch.chdir(tmp_path)
    assert read(tmp_path / "c.yaml", phases=infos, environ={}).source == "c.yaml"
    assert read(Path("c.yaml"), phases=infos, environ={}).source == "c.yaml"


def test_anchors_and_merge_keys_save_writing(read_text, good):
    text = good.replace(
        "peak: {users: 10, ramp: 5/s, hold: 2m}",
        "calm: &calm {users: 10, ramp: 5/s, hold: 2m}\n      peak: {<<: *calm, users: 50}",
    )
    scenarios = read_text(text).phases[0].settings.scenarios
    assert (scenarios["calm"].users, scenarios["peak"].users, scenarios["peak"].hold) == (10, 50, 120.0)


def test_the_configuration_is_plain_json_that_reads_back_into_the_same_settings(read_text, good, infos):
    campaign = read_text(good + "scoring: {pass: 70}\n")
    told = campaign.configuration
    assert told["target"] == {"url": "http://127.0.0.1:8000"}
    assert told["data"] == {"prompt": {"count": 2, "order": "in_turn", "first": ["Hello", "Why?"]}}
    assert told["scoring"]["pass"] == 70.0
    phase = told["phases"]["try"]
    assert phase["phase"] == "try"
    assert infos["try"].settings.model_validate(phase["settings"]) == campaign.phases[0].settings
