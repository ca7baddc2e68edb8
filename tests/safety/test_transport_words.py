"""Cookies, headers and traces of errors, told apart by table."""

import pytest
from pydantic import ValidationError

from campaign.target.origin import split_url
from campaign.target.request import Request
from phases.safety.changes import fields_of, with_field, with_header, with_query, without_header
from phases.safety.cookies import cookies_of
from phases.safety.transport.headers import allows, lacking
from phases.safety.transport.provoked import insides
from phases.safety.transport.settings import TransportSettings
from phases.safety.transport.way import max_age

SID = "sid=abc; Path=/; Expires=Wed, 21 Oct 2099 07:28:00 GMT; HttpOnly; SameSite=Lax"


def test_several_cookies_in_one_line_are_told_apart():
    found = list(cookies_of({"set-cookie": f"{SID}, theme=dark; Secure, gone=; Max-Age=0"}))
    assert [each.name for each in found] == ["sid", "theme", "gone"]
    assert [each.removed for each in found] == [False, False, True]
    assert found[0].flags["expires"] == "Wed, 21 Oct 2099 07:28:00 GMT"
    assert list(cookies_of({})) == []


@pytest.mark.parametrize(
    ("text", "secure", "readable", "missing"),
    [
        (SID, False, False, []),
        (SID, True, False, ["Secure"]),
        (f"{SID}; secure", True, False, []),
        ("sid=a; SameSite=None; HttpOnly; Secure", True, False, ["SameSite=Lax or Strict"]),
        ("csrf=a; SameSite=Strict", False, True, []),
        ("sid=a", False, False, ["HttpOnly", "SameSite=Lax or Strict"]),
    ],
)
def test_what_a_cookie_lacks(text, secure, readable, missing):
    (cookie,) = cookies_of({"set-cookie": text})
    assert list(lacking(cookie, secure=secure, readable=readable)) == missing


ORIGIN = "https://stranger.example"


@pytest.mark.parametrize(
    ("origin", "credentials", "bad"),
    [
        (ORIGIN, "true", True),
        ("*", "true", True),
        (ORIGIN, "", False),
        ("*", "", False),
        ("https://own.example", "true", False),
        ("", "true", False),
    ],
)
def test_only_credentials_make_another_site_dangerous(origin, credentials, bad):
    headers = {"access-control-allow-origin": origin, "access-control-allow-credentials": credentials}
    assert bool(allows(headers, ORIGIN)) == bad


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("max-age=31536000; includeSubDomains", 31_536_000),
        ('includeSubDomains; Max-Age="600"', 600),
        ("max-age=", 0),
        ("max-age=-5", 0),
        ("", 0),
    ],
)
def test_max_age_of_hsts(header, seconds):
    assert max_age(header) == seconds


TRACES = {
    "python": 'Traceback (most recent call last):\n  File "/app/main.py", line 3, in <module>',
    "java": "at com.teddy.Api.get(Api.java:41)",
    "java exception": "java.lang.NullPointerException: x",
    "node": "TypeError: x\n    at Object.get (/srv/app/index.js:12:5)",
    ".net": "at Teddy.Api.Get(Int32 id) in /src/Api.cs:line 12",
    "go": "panic: runtime error\n\ngoroutine 1 [running]:",
    "ruby": "app.rb:12:in `get'",
    "php": "Warning: foo in /var/www/x.php on line 12",
    "sql": 'ERROR: syntax error at or near "x"',
    "sqlalchemy": "(sqlalchemy.exc.ProgrammingError) x",
}
PLAIN = {
    "refusal": '{"error": {"code": "invalid", "message": "body.text: Field required"}}',
    "a story": "Once upon a time at the zoo (in a file, on line at last) a bear did not panic.",
    "a time": "It opens at 10:30:15, at http://example.com/a:1:2",
    "a word": "Look at the trace of the java cup.",
}


@pytest.mark.parametrize("name", TRACES)
def test_the_insides_of_a_service_are_recognised(name):
    assert insides(TRACES[name].encode())


@pytest.mark.parametrize("name", PLAIN)
def test_plain_answers_are_not_accused(name):
    assert insides(PLAIN[name].encode()) == ""


def test_a_request_is_changed_in_one_place_alone():
    origin, _ = split_url("http://127.0.0.1:9")
    head = b"POST /a?x=1&y=2 HTTP/1.1\r\nHost: h\r\nCookie: a=b\r\n"
    request = Request(origin, "POST", head, b'{"a": 1}')
    assert with_query("x", "a b")(request).target == "/a?y=2&x=a+b"
    assert b"Cookie: c=d" in with_header("cookie", "c=d")(request).head.replace(b"cookie", b"Cookie")
    assert with_header("cookie", "c=d")(request).head.count(b"=b") == 0
    assert b"Cookie" not in without_header("Cookie")(request).head
    assert fields_of(with_field("b", True)(request)) == {"a": 1, "b": True}
    assert request.head == head


@pytest.mark.parametrize("wrong", [{"plain": "https://h"}, {"plain": "nowhere"}, {"logs": "log"}])
def test_settings_that_cannot_be_meant_are_refused(wrong):
    with pytest.raises(ValidationError):
        TransportSettings.model_validate(wrong)


def test_a_log_that_is_not_named_in_the_environment_is_none():
    assert TransportSettings.model_validate({"logs": ""}).logs == ()
