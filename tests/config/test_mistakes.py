# ruff: noqa: E501, PLR0917 - a table reads best with one case per line
"""Every mistake names its place, the key, what was found and what is allowed; all of them at once."""

import pytest

from campaign.config import CampaignFileError, read
from campaign.errors import ConfigurationError

TABLE = [
    # what is replaced, by what, then line:column, key, and words that must stand in the message
    ("name: A campaign\n", "", "1:1", "name", ["nothing; this key is needed"]),
    ("name: A campaign", "name: ''", "1:7", "name", ["1 to 100 characters"]),
    ("name: A campaign", "name: [a]", "1:7", "name", ["a list", "text"]),
    ("name: A campaign", "nam: A campaign\nname: x", "1:1", "nam", ["an unknown key", "did you mean  name"]),
    ("hold: 2m", "hold: 5 mins", "23:42", "phases.try.scenarios.peak.hold", ['"5 mins"', "a duration such as"]),
    ("hold: 2m", "hold: 5", "23:42", "phases.try.scenarios.peak.hold", ["found    5", "a duration such as"]),
    ("hold: 2m", "hald: 2m", "23:36", "phases.try.scenarios.peak.hald", ["an unknown key", "did you mean  hold"]),
    ("ramp: 5/s", "ramp: 0/s", "23:31", "phases.try.scenarios.peak.ramp", ["above 0"]),
    ("users: 10", "users: 0", "23:21", "phases.try.scenarios.peak.users", ["more than 0"]),
    ("users: 10", "users: 1001", "23:21", "phases.try.scenarios.peak.users", ["at most 1000"]),
    ("users: 10", "users: ten", "23:21", "phases.try.scenarios.peak.users", ["a whole number"]),
    ("users: 10", "users: {a: 1}", "23:21", "phases.try.scenarios.peak.users", ["a mapping", "a whole number"]),
    ("users: 10", "users: 10, mix: {kid: 1}", "23:31", "phases.try.scenarios.peak.mix.kid", ["a kind of user", "curious_child"]),
    ("p95: 200ms", "p95: 200", "25:23", "phases.try.limits.converse.p95", ["200ms, or 80ms..150ms"]),
    ("p95: 200ms", "p96: 200ms", "25:18", "phases.try.limits.converse.p96", ["did you mean  p95"]),
    ("p95: 200ms", "p95: {limit: 5%}", "25:31", "phases.try.limits.converse.p95.limit", ['"5%"']),
    ("p95: 200ms", "rate: < 9/s", "25:24", "phases.try.limits.converse.rate", ["'at least'"]),
    ("      converse: {p95", "      convers: {p95", "25:7", "phases.try.limits.convers", ["did you mean  converse"]),
    ("tasks: {converse", "tasks: {convers", "17:13", "users.curious_child.tasks.convers", ["did you mean  converse"]),
    ("converse: 5", "converse: -5", "17:23", "users.curious_child.tasks.converse", ["at least 0"]),
    ("converse: 5", "converse: .nan", "17:23", "users.curious_child.tasks.converse", ["a number"]),
    ("tasks: {converse: 5, login: 1}", "tasks: {}", "15:5", "users.curious_child", ["no task to do"]),
    ("    tasks: {converse: 5, login: 1}\n", "", "15:5", "users.curious_child.tasks", ["this key is needed"]),
    ("start: [login]", "start: [login, logn]", "16:20", "users.curious_child.start.1", ['"logn"', "did you mean  login"]),
    ("wait: 1s..3s", "wait: 3s..1s", "15:11", "users.curious_child.wait", ["the shorter first"]),
    ("wait: 1s..3s", "weight: 0", "14:3", "users", ["a weight above 0"]),
    ("POST /api/login", "POST api/login", "6:14", "operations.login.request", ["a method and a path"]),
    ("POST /api/login", "FETCH /api", "6:14", "operations.login.request", ["a method and a path"]),
    ("POST /api/login", "POST /a b", "6:14", "operations.login.request", ["%20"]),
    ("  login:\n    request", "  all:\n    request", "5:3", "operations.all", ["'all' stands for all operations"]),
    ("  login:\n    request", "  l.g:\n    request", "5:3", "operations.l.g", ["a name of letters"]),
    ("save: {token: $.token}", "save: {token: token}", "8:19", "operations.login.save.token", ["a JSON path"]),
    ("save: {token: $.token}", "save: {user: $.token}", "8:12", "operations.login.save.user", ["a name other than"]),
    ("save: {token: $.token}", "expect: 700", "8:13", "operations.login.expect", ["a status such as"]),
    ("save: {token: $.token}", "expect: [200, abc]", "8:19", "operations.login.expect.1", ["a status such as"]),
    ("save: {token: $.token}", "expect: {stats: 1}", "8:14", "operations.login.expect.stats", ["did you mean  status"]),
    ("save: {token: $.token}", "service: x", "8:14", "operations.login.service", ["a service that is not defined"]),
    ("save: {token: $.token}", "timeout: 30", "8:14", "operations.login.timeout", ["a duration such as"]),
    ("save: {token: $.token}", "redirects: 99", "8:16", "operations.login.redirects", ["at most 20"]),
    ("save: {token: $.token}", "headers: {'a b': c}", "8:15", "operations.login.headers.a b", ["a header name"]),
    ("save: {token: $.token}", 'headers: {a: "b\\r\\nc"}', "8:18", "operations.login.headers.a", ["text on one line"]),
    ("save: {token: $.token}", "form: {a: 1}", "6:5", "operations.login", ["json and form", "one of json, form"]),
    ('json: {text: "{{ prompt }}"}', "json: {text: .inf}", "12:11", "operations.converse.json", ["neither infinity nor NaN"]),
    ("{{ prompt }}", "{{ promt }}", "12:18", "operations.converse.json.text", ["no promt", "prompt"]),
    ("{{ prompt }}", "{{ prompt", "12:18", "operations.converse.json.text", ["does not close it"]),
    ("{{ prompt }}", "{{ open('x') }}", "12:18", "operations.converse.json.text", ["an expression is a name"]),
    ("{{ user.number:04 }}", "{{ user.nummer }}", "7:19", "operations.login.json.email", ["user.number"]),
    ("prompt: [Hello", "'a b': [Hello", "19:3", "data.a b", ["a variable name"]),
    ('prompt: [Hello, "Why?"]', "prompt: []", "19:11", "data.prompt", ["no values"]),
    ('prompt: [Hello, "Why?"]', "prompt: no.txt", "19:11", "data.prompt", ["'no.txt', no such file"]),
    ('prompt: [Hello, "Why?"]', "prompt: {order: once}", "19:11", "data.prompt", ["one of file and values"]),
    ('prompt: [Hello, "Why?"]', "prompt: {values: [1], order: onc}", "19:32", "data.prompt.order", ["did you mean  once"]),
    ('prompt: [Hello, "Why?"]', "prompt: 5", "19:11", "data.prompt", ["a mapping"]),
    ("${TARGET_URL:-http://127.0.0.1:8000}", "ftp://x", "3:8", "target.url", ["http or https"]),
    ("${TARGET_URL:-http://127.0.0.1:8000}", "http://", "3:8", "target.url", ["with a host"]),
    ("${TARGET_URL:-http://127.0.0.1:8000}", "http://x:99999", "3:8", "target.url", ["http or https"]),
    ("${TARGET_URL:-http://127.0.0.1:8000}", "'http://[::1'", "3:8", "target.url", ["http or https"]),
    ("${TARGET_URL:-http://127.0.0.1:8000}", "http://a:b@x", "3:8", "target.url", ["credentials in a URL"]),
    ("${TARGET_URL:-http://127.0.0.1:8000}", "http://x/?a=b", "3:8", "target.url", ["a query belongs to an operation"]),
    ("${TARGET_URL:-http://127.0.0.1:8000}", "${TARGET_URL}", "3:8", "target.url", ["that is not set", "set TARGET_URL"]),
    ("${TARGET_URL:-http://127.0.0.1:8000}", "${TARGET-URL}", "3:8", "target.url", ["${NAME:-default}"]),
    ("${TARGET_URL:-http://127.0.0.1:8000}", "${A:-${B:-c}}", "3:8", "target.url", ["${NAME:-default}"]),
    ("operations:\n", "  database: nowhere\noperations:\n", "4:13", "target.database", ["postgresql://"]),
    ("operations:\n", "  health: a b\noperations:\n", "4:11", "target.health", ["GET /health"]),
    ("operations:\n", "  tls: {key: no.pem}\noperations:\n", "4:14", "target.tls.key", ["no such file"]),
    ("operations:\n", "  tls: {verify: maybe}\noperations:\n", "4:17", "target.tls.verify", ["true or false"]),
    ("operations:\n", "  allow_hosts: ['http://x']\noperations:\n", "4:17", "target.allow_hosts.0", ["a host name"]),
    ("operations:\n", "  services: {s: {auth: x}}\noperations:\n", "4:17", "target.services.s.url", ["this key is needed"]),
    ("  try:\n", "  tray:\n", "21:3", "phases.tray", ["not installed", "installed: try", "did you mean  try"]),
    ("  try:\n", "  failover:\n", "21:3", "phases.failover", ["not part of this release", "installed: try"]),
    ("  try:\n", "  again:\n    phase: tray\n", "22:12", "phases.again.phase", ["not installed", "did you mean  try"]),
    ("  try:\n", "  again:\n    phase: [a]\n", "22:12", "phases.again.phase", ["not installed"]),
    ("phases:\n", "scoring: {pass: 101}\nphases:\n", "20:17", "scoring.pass", ["at most 100"]),
    ("phases:\n", "scoring: {weights: {laod: 1}}\nphases:\n", "20:21", "scoring.weights.laod", ["did you mean  load"]),
    ("phases:\n", "scoring: {required: [x]}\nphases:\n", "20:22", "scoring.required.0", ["a phase that is not defined", "benchmark"]),
    ("phases:\n", "scoring: {weights: {load: 0, stress: 0, benchmark: 0, database: 0, failover: 0, safety: 0, stability: 0}}\nphases:\n", "20:10", "scoring", ["only weights of 0"]),
    ("phases:\n", "scoring: {weights: {load: -1}}\nphases:\n", "20:27", "scoring.weights.load", ["at least 0"]),
    ("phases:\n", "scoring: {weights: {load: .inf}}\nphases:\n", "20:27", "scoring.weights.load", ["a number"]),
    ("phases:\n", "monitor: {interval: 1ms}\nphases:\n", "20:21", "monitor.interval", ["at least 0.1"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "place", "key", "words"), TABLE, ids=[f"{row[3]}-{row[1][:20]!r}" for row in TABLE]
)
def test_a_mistake_says_where_and_what(good, mistakes_of, old, new, place, key, words):
    assert old in good
    mistakes = mistakes_of(good.replace(old, new, 1))
    told = [str(each) for each in mistakes if each.key == key]
    assert len(told) == 1, mistakes
    assert told[0].splitlines()[0] == f"campaign.yaml:{place}  {key}"
    assert [word for word in words if word not in told[0]] == []


def test_a_mistake_reads_as_a_small_table(good, read_text):
    text = good.replace("hold: 2m", "hold: 5 mins").replace("tasks: {converse", "tasks: {convers")
    with pytest.raises(CampaignFileError) as caught:
        read_text(text)
    assert str(caught.value) == (
        "campaign.yaml:17:13  users.curious_child.tasks.convers\n"
        "  found    an operation that is not defined\n"
        "  did you mean  converse\n"
        "campaign.yaml:23:42  phases.try.scenarios.peak.hold\n"
        '  found    "5 mins"\n'
        "  allowed  a duration such as 200ms, 30s, 5m, 24h (at most 366d)\n"
        "2 mistakes; nothing was run. (docs/campaign-file.md)"
    )


def test_no_key_commands_the_terminal_that_it_is_shown_on(good, read_text):
    with pytest.raises(CampaignFileError) as caught:
        read_text(good.replace("name: A campaign", 'name: A campaign\n"\\e[31m\\nred": 1'))
    assert "2:1  ?[31m?red\n" in str(caught.value)
    assert str(caught.value).replace("\n", "").isprintable()


def test_mistakes_in_all_corners_are_told_at_once_in_the_order_of_the_lines(good, mistakes_of):
    text = (
        good.replace("name: A campaign", "nome: A campaign")
        .replace("${TARGET_URL:-http://127.0.0.1:8000}", "${NOWHERE}")
        .replace("POST /api/login", "POST")
        .replace("{{ prompt }}", "{{ promt }}")
        .replace("users: 10", "users: -1")
        .replace("p95: 200ms", "p95: 200")
    )
    assert [(each.place.line, each.key) for each in mistakes_of(text)] == [
        (1, "name"),
        (1, "nome"),
        (3, "target.url"),
        (6, "operations.login.request"),
        (12, "operations.converse.json.text"),
        (23, "phases.try.scenarios.peak.users"),
        (25, "phases.try.limits.converse.p95"),
    ]


def test_the_mistakes_are_a_configuration_error_with_exit_code_two(read_text):
    with pytest.raises(ConfigurationError) as caught:
        read_text("name: x")
    assert caught.value.exit_code == 2
    assert {each.key for each in caught.value.mistakes} == {"target", "phases"}


def test_a_key_and_what_stands_below_it_may_both_be_wrong(good, mistakes_of):
    text = good.replace("  converse:\n    request: POST /api/conversation", "  '':\n    request: 5")
    assert {each.key for each in mistakes_of(text)} >= {"operations.", "users.curious_child.tasks.converse"}


def test_a_union_of_kinds_is_one_mistake_that_allows_either(good, mistakes_of):
    (mistake,) = mistakes_of(good.replace("    limits:", "    workers: many\n    limits:"))
    assert (mistake.key, mistake.allowed) == ("phases.try.workers", "a whole number or true or false")


@pytest.mark.parametrize("text", ["phases: {}", "phases: []", "phases: 5"])
def test_a_file_without_phases_says_so(good, mistakes_of, text):
    (mistake,) = mistakes_of(good[: good.index("phases:")] + text + "\n")
    assert mistake.key == "phases"


def test_no_phase_installed_is_said(good):
    with pytest.raises(CampaignFileError, match="installed: none is defined"):
        read(good, phases={}, environ={})


def test_a_phase_whose_own_checks_crash_is_named(good, infos):
    class Faulty(infos["try"].settings):
        def model_post_init(self, _context):
            raise KeyError("oh")

    import dataclasses  # noqa: PLC0415

    faulty = dataclasses.replace(infos["try"], settings=Faulty)
    with pytest.raises(CampaignFileError, match=r"settings that try could not read \(KeyError: 'oh'\)"):
        read(good, phases={"try": faulty}, environ={})


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("p.csv", "a,b\n1\n", "line 2 does not have 2 columns"),
        ("p.csv", "a,a\n1,2\n", "a name of its own"),
        ("p.csv", 'a\n"x', "cannot be read"),
        ("p.json", "{}", "it is not a list"),
        ("p.json", "[NaN]", "NaN is not JSON"),
        ("p.json", "[" * 100_000, "cannot be read"),
        ("p.jsonl", "{", "cannot be read"),
        ("p.txt", "\n\n", "no values"),
        ("p.xls", "x", "a file that ends in .txt, .csv, .json, .jsonl"),
    ],
)
def test_a_data_file_that_cannot_be_used_is_a_mistake(infos, good, tmp_path, name, content, words):
    (tmp_path / name).write_text(content)
    (tmp_path / "c.yaml").write_text(good.replace('[Hello, "Why?"]', name))
    with pytest.raises(CampaignFileError) as caught:
        read(tmp_path / "c.yaml", phases=infos, environ={})
    assert words in str(caught.value)
    assert [each.key for each in caught.value.mistakes] == ["data.prompt"]
