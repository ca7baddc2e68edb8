"""Kinds of users in the campaign file: every form that there is, and what is said of any other."""

import pytest
import yaml
from jsonschema import Draft202012Validator

from campaign.config import campaign_schema
from campaign.target.journey import Do, Group, If, Pause, Repeat, TaskSpec, WaitShape, WaitSpec

USERS = """\
  kid:
    count: 3
    wait: {mean: 2s, deviation: 500ms}
    start: [login, {wait: 1s}]
    stop: [bye]
    iterations: 5
    tasks:
      converse: 50
      bedtime:
        weight: 10
        tags: [story]
        steps:
          - converse
          - {wait: 2s..3s}
          - {if: "story.safe and iteration > 1", then: [converse], else: [{wait: {exponential: 1s}}]}
          - {repeat: 3, steps: [converse]}
          - {repeat: 2..5, steps: [converse]}
          - {while: "not story.done", at_most: 20, steps: [converse]}
          - {for: page, in: "story.pages", steps: [read]}
          - {group: reading, steps: [converse]}
  rest: {tasks: [login]}
"""
FILE = """\
name: Users
target: {url: "http://127.0.0.1:8000"}
operations:
  login: {request: POST /login, undo: bye}
  converse: {request: GET /talk, save: {story: $.story}}
  read: {request: "GET /page/{{ page }}"}
  bye: {request: DELETE /me}
users:
"""
END = "phases: {try: {}}\n"
GOOD_USERS = FILE + USERS + END


SIMPLE = FILE.replace('  read: {request: "GET /page/{{ page }}"}\n', "")


def test_a_whole_journey_is_read_as_it_stands(read_text):
    kid = read_text(GOOD_USERS).vocabulary.users["kid"]
    assert (kid.count, kid.iterations) == (3, 5)
    assert kid.wait == WaitSpec(shape=WaitShape.NORMAL, mean=2.0, deviation=0.5)
    assert kid.start == (Do("login"), Pause(WaitSpec(1.0, 1.0)))
    assert kid.stop == (Do("bye"),)
    talk = (Do("converse"),)
    assert kid.tasks == {
        "converse": TaskSpec(50.0, talk),
        "bedtime": TaskSpec(
            10.0,
            (
                Do("converse"),
                Pause(WaitSpec(2.0, 3.0)),
                If(
                    "story.safe and iteration > 1",
                    talk,
                    (Pause(WaitSpec(shape=WaitShape.EXPONENTIAL, mean=1.0)),),
                ),
                Repeat(talk, times=(3, 3)),
                Repeat(talk, times=(2, 5)),
                Repeat(talk, times=(0, 20), condition="not story.done"),
                Repeat((Do("read"),), each="story.pages", name="page"),
                Group("reading", talk),
            ),
            frozenset({"story"}),
        ),
    }


def test_undo_names_the_operation_that_deletes(read_text):
    assert read_text(GOOD_USERS).vocabulary.operations["login"].options.undo == "bye"


@pytest.mark.parametrize(
    ("wait", "spec"),
    [
        ("2s", WaitSpec(2.0, 2.0)),
        ("0", WaitSpec()),
        ("1s..3s", WaitSpec(1.0, 3.0)),
        ("{exponential: 2s}", WaitSpec(shape=WaitShape.EXPONENTIAL, mean=2.0)),
        ("{pace: 10s}", WaitSpec(shape=WaitShape.PACE, mean=10.0)),
        ("{mean: 2s}", WaitSpec(shape=WaitShape.NORMAL, mean=2.0)),
    ],
)
def test_every_shape_of_waiting(read_text, wait, spec):
    text = f"{SIMPLE}  kid: {{wait: {wait}, tasks: [login]}}\n{END}"
    assert read_text(text).vocabulary.users["kid"].wait == spec


def nested(depth):
    return "{repeat: 2, steps: [" * depth + "converse" + "]}" * depth


MISTAKES = [
    ("{wait: 2s..3s}", "{wiat: 2s}", "{wiat", "tasks.bedtime.steps.1", ["with wiat", "did you mean wait"]),
    ("steps: [read]", "steps: [raed]", "raed", "steps.6.steps.0", ['"raed"', "did you mean  read"]),
    ("[login, {wait: 1s}]", "[logni]", "[logni]", "kid.start.0", ['"logni"', "did you mean  login"]),
    ("[login, {wait: 1s}]", "[{wait: 1}]", "{wait: 1}", "kid.start.0.wait", ["found    1", "2s"]),
    ("{wait: {exponential: 1s}}", "{wait: {pace: 1s}}", "pace", "else.0.wait", ["{exponential: 2s}"]),
    ("story.safe and", "stori.safe and", "stori.", "steps.2.if", ["no stori; did you mean story"]),
    ("not story.done", "story.done =", "story.done =", "steps.5.while", ["is not a condition"]),
    ("story.safe and", "story.safe() and", "story.safe()", "steps.2.if", ["defined(name)"]),
    ("weight: 10", "waight: 10", "waight", "bedtime.waight", ["did you mean  weight"]),
    ("converse: 50", "convers: 50", "convers:", "tasks.convers", ["not defined", "did you mean  converse"]),
    ("converse: 50", "converse: many", "many", "tasks.converse", ["a number"]),
    ("converse: 50", "talk: {weight: 5}", "talk:", "tasks.talk", ["an operation that is not defined"]),
    ("converse: 50", "talk: {steps: []}", "talk:", "tasks.talk.steps", ["at least one step"]),
    ("group: reading", "group: read", "group: read", "steps.7.group", ["the name of an operation"]),
    ("at_most: 20", "at_most: 0", "at_most: 0", "steps.5.at_most", ["at least 1"]),
    ("at_most: 20", "at_mots: 20", "at_mots", "steps.5.at_mots", ["did you mean  at_most"]),
    ("repeat: 2..5", "repeat: 5..2", "5..2", "steps.4.repeat", ["2..5"]),
    ("repeat: 2..5", "repeat: 1000000", "1000000", "steps.4.repeat", ["at most 10000"]),
    ("{repeat: 3, steps: [converse]}", "{repeat: 3, steps: []}", "steps: []", "3.steps", ["one step"]),
    ("{repeat: 3, steps: [converse]}", nested(9), "- converse", "bedtime.steps", ["nested at most 8 deep"]),
    ("count: 3", "count: 3\n    weight: 2", "count: 3", "users.kid", ["one of weight and count"]),
    ("count: 3", "count: 0", "count: 0", "users.kid.count", ["at least 1"]),
    ("for: page", "for: story", "for: story", "steps.6.for", ["an operation saves"]),
    ("{mean: 2s, deviation: 500ms}", "{meen: 2s}", "meen", "kid.wait", ["{pace: 10s}"]),
    ("{mean: 2s, deviation: 500ms}", "{mean: 2s, deviaton: 1s}", "deviaton", "wait.deviaton", ["deviation"]),
    ("iterations: 5", "iterations: -1", "-1", "kid.iterations", ["at least 0"]),
    ("stop: [bye]", "stop: bye", "stop: bye", "kid.stop", ["a list"]),
    ("undo: bye", "undo: by", "undo: by", "operations.login.undo", ["did you mean  bye"]),
    ("undo: bye", "undo: login", "login: {request", "operations", ["login as its own undo"]),
    ("stop: [bye]", "stop: [read]", "/page/", "operations.read.request", ["no page"]),
    ("tasks: [login]", "tasks: {login: 0}", "login: 0", "users.rest", ["weight above 0"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "at", "key", "words"), MISTAKES, ids=[f"{row[3]}-{row[1][:25]}" for row in MISTAKES]
)
def test_a_mistake_says_where_and_what(mistakes_of, old, new, at, key, words):  # noqa: PLR0917 - a table
    assert old in GOOD_USERS
    text = GOOD_USERS.replace(old, new, 1)
    mistakes = mistakes_of(text)
    told = [str(each) for each in mistakes if each.key.endswith(key)]
    assert len(told) == 1, mistakes
    assert f":{text[: text.index(at)].count(chr(10)) + 1}:" in told[0]
    assert [word for word in words if word not in told[0]] == []


def test_a_long_list_of_steps_is_refused(mistakes_of):
    text = f"  kid: {{tasks: {{long: {{steps: [{', '.join(['login'] * 501)}]}}}}}}\n"
    (mistake,) = mistakes_of(SIMPLE + text + END)
    assert "at most 500 steps" in str(mistake)


@pytest.fixture(scope="module")
def errors(infos):
    schema = campaign_schema(infos)
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    return lambda text: [error.json_path for error in validator.iter_errors(yaml.safe_load(text))]


def test_the_schema_knows_every_form(errors):
    assert errors(GOOD_USERS) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("{wait: 2s..3s}", "{wiat: 2s}"),
        ("{repeat: 3, steps: [converse]}", "{repeat: 3, stps: [converse]}"),
        ("{repeat: 3, steps: [converse]}", "{repeat: 3, steps: []}"),
        ("{mean: 2s, deviation: 500ms}", "{meen: 2s}"),
        ("{wait: {exponential: 1s}}", "{wait: {pace: 1s}}"),
        ("stop: [bye]", "stop: bye"),
        ("count: 3", "count: 0"),
    ],
)
def test_the_schema_refuses_what_the_reader_refuses(errors, old, new):
    assert old in GOOD_USERS
    assert errors(GOOD_USERS.replace(old, new, 1)) != []
