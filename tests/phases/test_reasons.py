"""A limit that is missed names what stands behind it, where the scenario tells."""

import pytest

from campaign.records import Evidence, Measurement, Outcome
from phases.load import LoadPhase
from phases.load.settings import LoadSettings

SETTINGS = LoadSettings.model_validate(
    {
        "scenarios": {"calm": {"users": 10, "hold": "1m"}},
        "limits": {"talk": {"error_rate": "1%", "p95": "1s"}, "tag:gdpr": {"error_rate": "1%"}},
    }
)
ERRORS = [
    {"operation": "talk", "kind": "status", "detail": "status 503", "count": 615},
    {"operation": "talk", "kind": "timeout", "detail": "no answer in time", "count": 12},
    {"operation": "login", "kind": "status", "detail": "x" * 200, "count": 1000},
]


def judged(check, value=0.5, errors=(), counts=(), users=10):
    scenario = {
        "name": "calm",
        "users": users,
        "model": "open",
        "level": 20.0,
        "generator": {"saturation": ""},
    }
    facts = {"scenarios": [{**scenario, "errors": list(errors), "counts": dict(counts)}]}
    measured = Measurement.exact(check, value, unit="share", count=900)
    found = LoadPhase().judge(Evidence((measured,), facts=facts), SETTINGS)
    return next(each for each in found if each.check == check)


@pytest.mark.parametrize(
    ("check", "named"),
    [
        ("calm.talk.error_rate", "; most often talk: status 503, 615 times"),
        ("calm.all.error_rate", f"; most often login: {'x' * 80}…, 1,000 times"),
        ("calm.tag:gdpr.error_rate", f"; most often, in the whole scenario, login: {'x' * 80}…, 1,000 times"),
    ],
)
def test_an_error_rate_that_is_missed_names_the_most_frequent_failure(check, named):
    assert judged(check, errors=ERRORS).message.endswith(named)
    assert named not in judged(check, value=0.0, errors=ERRORS).message
    assert "most often" not in judged(check).message


def test_other_limits_name_no_failure():
    assert "most often" not in judged("calm.talk.p95", value=2.0, errors=ERRORS).message


@pytest.mark.parametrize(
    ("users", "waited", "who"),
    [
        (4, 312, "All 4 users were busy when 312 arrivals were due"),
        (1, 1, "The only user was busy when 1 arrival was"),
    ],
)
def test_a_pool_that_is_too_small_is_named_where_the_load_was_not_reached(users, waited, who):
    finding = judged("calm.all.load_reached", users=users, counts={"arrivals.waited": waited})
    assert finding.outcome is Outcome.FAILED
    assert finding.remedy.startswith(who)
    assert "raise `users`" in finding.remedy
    assert "busy" not in judged("calm.all.load_reached", users=users).remedy
