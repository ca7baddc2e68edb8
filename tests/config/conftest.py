"""A small campaign file that is right, and a phase of the tests' own, so that no real phase is needed."""

from typing import Annotated

import pytest
from pydantic import Field

from campaign.config import CampaignFileError, read
from campaign.phase import PhaseInfo
from campaign.records import Direction
from campaign.settings import Duration, GradedLimit, OperationName, Rate, Settings, UserName, limit_for

GOOD = """\
name: A campaign
target:
  url: ${TARGET_URL:-http://127.0.0.1:8000}
operations:
  login:
    request: POST /api/login
    json: {email: "user{{ user.number:04 }}@example.com"}
    save: {token: $.token}
  converse:
    request: POST /api/conversation
    auth: "{{ token }}"
    json: {text: "{{ prompt }}"}
users:
  curious_child:
    wait: 1s..3s
    start: [login]
    tasks: {converse: 5, login: 1}
data:
  prompt: [Hello, "Why?"]
phases:
  try:
    scenarios:
      peak: {users: 10, ramp: 5/s, hold: 2m}
    limits:
      converse: {p95: 200ms}
"""


class Limits(Settings):
    p95: Annotated[GradedLimit, limit_for("s", Direction.AT_MOST)] | None = None
    rate: Annotated[GradedLimit, limit_for("1/s", Direction.AT_LEAST)] | None = None


class Scenario(Settings):
    users: int = Field(gt=0, le=1000)
    ramp: Rate = 10.0
    hold: Duration
    mix: dict[UserName, float] = Field(default_factory=dict)


class TrySettings(Settings):
    scenarios: dict[str, Scenario] = Field(default_factory=dict)
    limits: dict[OperationName, Limits] = Field(default_factory=dict)
    workers: int | bool = 1


INFO = PhaseInfo("try", "A trial", "A phase that only exists in these tests.", (), TrySettings)


@pytest.fixture(scope="session")
def good():
    return GOOD


@pytest.fixture(scope="session")
def infos():
    return {"try": INFO}


@pytest.fixture(scope="session")
def read_text(infos):
    """Reads a text; the environment is empty unless given."""

    def read_it(text, *, environ=None, **options):
        return read(text, phases=infos, environ=environ or {}, **options)

    return read_it


@pytest.fixture(scope="session")
def mistakes_of(read_text):
    """The mistakes in a text that must have some."""

    def mistakes(text, **options):
        with pytest.raises(CampaignFileError) as caught:
            read_text(text, **options)
        return caught.value.mistakes

    return mistakes
