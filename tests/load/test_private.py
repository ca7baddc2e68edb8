"""What a user saved and sends as its credentials is masked wherever its failures are told."""

from __future__ import annotations

import textwrap

from campaign.load.private import secret_paths, secrets_of
from campaign.target.journey import WaitSpec
from campaign.target.scope import Scope
from campaign.target.spec import BodySpec, OperationSpec, PartSpec, TargetSpec, UserSpec, Vocabulary

LOGIN = b'HTTP/1.1 200 OK\r\nContent-Length: 29\r\n\r\n{"pass": "s3cr3t-of-anybody"}'


async def refuse(talker):
    """A login, and then nothing but refusals that repeat what they were sent."""
    while request := await talker.request():
        if b"/login" in request.split(b"\r\n")[0]:
            talker.say(LOGIN)
            continue
        said = b"you came with s3cr3t-of-anybody"
        talker.say(b"HTTP/1.1 401 No\r\nContent-Length: %d\r\n\r\n%b" % (len(said), said))


def test_a_saved_value_that_is_sent_as_credentials_is_masked_elsewhere(serve, make_plan, run_here, operation):
    login = operation("login", "/login", save={"entry": "$.pass"})
    visit = operation("visit", "/of/{{ entry }}", auth="{{ entry }}", save={"x": "$.x"})
    outcome = run_here(make_plan(serve(refuse).url, login, visit, start=("login",)))
    (group,) = outcome.errors
    assert group.samples[0].request.endswith("/of/***")
    assert group.samples[0].answer == "401 you came with ***"


def test_no_text_of_a_python_user_gives_its_credentials_away(serve, make_plan, run_here, operation, tmp_path):
    code = """
        from campaign import Failed, User, constant, task

        class Teller(User):
            wait = constant(0.02)

            @task
            async def tell(self):
                mine = (await self.send("login")).json["pass"]
                self.check(False, "who is " + mine)
                try:
                    await self.send("visit")
                except Failed as failed:
                    await self.try_request("GET", "/at/" + mine)
                    self.check(False, "who is " + mine)
                    raise ValueError("x" * 112 + mine)
    """
    (tmp_path / "tellers.py").write_text(textwrap.dedent(code))
    kinds = {
        "teller": UserSpec(
            "teller", 1, WaitSpec(0.02, 0.02), (), {}, python="tellers.Teller", folder=str(tmp_path)
        )
    }
    login = operation("login", "/login", save={"entry": "$.pass"})
    visit = operation("visit", "/visit", auth="{{ entry }}", save={"x": "$.x"})
    outcome = run_here(make_plan(serve(refuse).url, login, visit, kinds=kinds))
    told = repr((outcome.errors, list(outcome.tallies)))
    assert "GET /at/***" in told
    assert "who is ***" in told
    assert "ValueError: xxx" in told
    assert "s3cr" not in told


def test_what_is_used_as_a_secret_is_known_by_where_it_goes():
    target = TargetSpec("http://127.0.0.1", headers={"Cookie": "id={{ visit }}"})
    body = BodySpec(has_json=True, json={"user": {"name": "{{ name }}", "password": "{{ person.word }}"}})
    form = BodySpec(multipart=(PartSpec("pin_token", "{{ pin }}"),))
    operations = {
        "a": OperationSpec("a", "POST", "/", auth="Key {{ key }}", body=body),
        "b": OperationSpec("b", "POST", "/", body=form, query={"q": "{{ seen }}"}),
    }
    paths = secret_paths(Vocabulary(operations), target)
    assert paths == {("visit",), ("key",), ("person", "word"), ("pin",)}
    scope = Scope(1)
    scope.values |= {"key": "k-1", "person": {"word": "w-1", "name": "Ann"}, "pin": 4711, "seen": "s-1"}
    scope.values |= {"account": {"api_key": "a-1"}, "token": "t-1"}
    assert set(secrets_of(scope, paths)) == {"k-1", "w-1", "4711", "a-1", "t-1"}
