"""An answer is judged in the order that it is read, and good ones leave their values."""

import json

import pytest

from campaign.errors import ConfigurationError
from campaign.target.expect import Miss, compile_expectation
from campaign.target.jsonpath import MISSING, compile_path
from campaign.target.spec import ExpectSpec

BODY = json.dumps({"id": "c1", "safe": True, "n": 1, "list": [{"a b": None}], "x": {"y": [1, 2]}}).encode()
HEADERS = [(b"Content-Type", b"application/json"), (b"X-A", b"one"), (b"x-a", b"two")]


@pytest.mark.parametrize(
    ("fields", "miss"),
    [
        ({}, None),
        ({"status": (201,)}, Miss("status", "status 200")),
        ({"status": ("2xx", 404)}, None),
        ({"json": {"$.safe": True, "$.id": ..., "$.list[0]['a b']": None}}, None),
        ({"json": {"$.safe": False}}, Miss("expectation", "$.safe is not false")),
        ({"json": {"$.n": True}}, Miss("expectation", "$.n is not true")),
        ({"json": {"$.safe": 1}}, Miss("expectation", "$.safe is not 1")),
        ({"json": {"$.n": 1.0}}, None),
        ({"json": {"$.x": {"y": [1, 2]}}}, None),
        ({"json": {"$.x": {"y": [True, 2]}}}, Miss("expectation", '$.x is not {"y": [true, 2]}')),
        ({"json": {"$.gone": ...}}, Miss("expectation", "no $.gone in the answer")),
        ({"headers": {"content-type": "json"}}, None),
        ({"headers": {"X-A": "two"}}, None),
        ({"headers": {"X-A": "three"}}, Miss("expectation", "header X-A without 'three'")),
        ({"headers": {"X-B": ""}}, Miss("expectation", "no header X-B")),
        ({"contains": ("c1", "safe")}, None),
        ({"contains": ("é",)}, Miss("expectation", "the answer does not contain 'é'")),
        ({"max_size": len(BODY)}, None),
        ({"max_size": 64}, Miss("expectation", "the answer is larger than 64 B")),
    ],
)
def test_an_answer_is_what_is_expected_or_the_first_miss_is_named(fields, miss):
    assert compile_expectation(ExpectSpec(**fields)).check(200, HEADERS, BODY) == miss


@pytest.mark.parametrize(
    ("status", "good"), [(200, True), (302, True), (399, True), (199, False), (400, False)]
)
def test_without_a_word_any_2xx_or_3xx_is_good(status, good):
    assert (compile_expectation(ExpectSpec()).check(status, [], b"") is None) is good


def test_a_good_answer_leaves_its_values():
    values = {"old": 1}
    expectation = compile_expectation(ExpectSpec(), save={"id": "$.id", "second": "$.x.y[1]", "all": "$"})
    assert expectation.check(200, [], BODY, values=values) is None
    assert values == {"old": 1, "id": "c1", "second": 2, "all": json.loads(BODY)}


def test_a_wrong_answer_leaves_nothing():
    values = {}
    expectation = compile_expectation(ExpectSpec(), save={"id": "$.id", "token": "$.token"})
    assert expectation.check(200, [], BODY, values=values) == Miss("expectation", "no $.token in the answer")
    assert values == {}


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff\xfe", b'{"id":', b"[" * 200_000, b"9" * 5000 + b"x"])
def test_what_is_not_json_is_a_miss_and_never_a_crash(body):
    expectation = compile_expectation(ExpectSpec(), save={"id": "$.id"})
    assert expectation.check(200, [], body) == Miss("expectation", "the answer is not JSON")


def test_the_flags_say_what_must_be_kept_of_an_answer():
    def flags(save=None, **fields):
        expectation = compile_expectation(ExpectSpec(**fields), save=save)
        return expectation.needs_body, expectation.needs_json

    assert flags(status=(200,), headers={"a": "b"}) == (False, False)
    assert flags(contains=("x",)) == flags(max_size=1) == (True, False)
    assert flags(json={"$.a": 1}) == flags(save={"a": "$.a"}) == (True, True)


@pytest.mark.parametrize("status", [99, 600, "6xx", "2x", "ok", -1])
def test_a_status_that_cannot_be_is_a_mistake(status):
    with pytest.raises(ConfigurationError, match="is not a status such as 201 or 2xx"):
        compile_expectation(ExpectSpec(status=(status,)))


DOCUMENT = {"a": {"b-c": [10, {"d e": None, "it's": 3}]}, "ü": 4}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("$", DOCUMENT),
        ("$.a.b-c[0]", 10),
        ("$.a.b-c[-2]", 10),
        ("$['a'][\"b-c\"][1]['d e']", None),
        ("$.a.b-c[1]['it\\'s']", 3),
        ("$.ü", 4),
        ("$.a.b-c[2]", MISSING),
        ("$.a.x.y", MISSING),
        ("$.a[0]", MISSING),
        ("$.a.b-c.d", MISSING),
        ("$.gone", MISSING),
    ],
)
def test_a_path_finds_its_place_or_says_that_there_is_none(path, value):
    assert compile_path(path)(DOCUMENT) == value


@pytest.mark.parametrize(
    "path", ["", "a", "$.", "$..a", "$.a.", "$[", "$[a]", "$.*", "$.a[*]", "$ .a", "$['a]", "$x"]
)
def test_what_is_not_a_path_is_a_mistake(path):
    with pytest.raises(ConfigurationError, match="is not a path such as"):
        compile_path(path)
