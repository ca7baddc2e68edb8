"""What the story of a fault allows to be said: each defect's mark fails its own check and no other."""

from dataclasses import replace

import pytest
from stories import compared, down, ns, probes, story, strike

from campaign.records import Evidence, Outcome, Severity
from phases.failover.case import CHECKS
from phases.failover.catalogue import SHIPPED
from phases.failover.judge import JUDGES, judge_failover
from phases.failover.measure import PLAN, SCENARIOS, measure
from phases.failover.settings import FailoverSettings
from phases.failover.story import Consistent, Ending, Probe, Readback

MAPPED = {"probes": {"read": "history", "session": "me"}, "writes": {"operation": "converse"}}
OK, HUNG, RESET, STATUS = Ending.OK, Ending.HUNG, Ending.RESET, Ending.STATUS


def settings_of(name="database_down", **scenario):
    return FailoverSettings.model_validate({**MAPPED, "scenarios": {name: scenario}})


def judged(told, settings=None):
    """The findings of a story by check, without the scenario's name."""
    evidence = Evidence(facts={SCENARIOS: [measure(told)]})
    found = judge_failover(evidence, settings or settings_of(told.name))
    return {each.check.partition(".")[2]: each for each in found}


def with_outcome(found, *outcomes):
    return {check for check, each in found.items() if each.outcome.value in outcomes}


def slow_until(until):
    """A service that works off a backlog: with what it needs back at 10.2 s, callers are sent away."""

    def answer(due):
        return (STATUS, 0.25, 503, "please try again") if 5.15 <= due < until else (OK, 0.005, 200)

    return answer


def volley(lost, ending):
    """Requests in flight at 5 s, of which so many are cut off."""
    endings = [ending] * lost + [OK] * (12 - lost)
    return tuple(Probe("volley", "history", ns(4.9), ns(4.9), ns(5.1), each) for each in endings)


def restart(lost=0, ended=5.6, ending=RESET, **changes):
    answer = down(5.05, ended, ending=Ending.REFUSED, status=0, said="")
    made = strike(subject="service", start=5.1, running=5.5)
    told = story(answer, name="service_restart", strikes=(made,), seconds=45.0, **changes)
    return replace(told, probes=told.probes + volley(lost, ending))


LEFT_DOWN = strike(restored=False, restored_detail="it does not run", by_hand=("docker start x",))

DEFECTS = {
    "no-reconnect": ("recovered", lambda: story(down(5.15, 99.0), seconds=45.0)),
    "hang-on-outage": ("fails_fast", lambda: story(down(5.15, 10.2, ending=HUNG, took=2.0, status=0))),
    "ack-before-commit": ("lost", lambda: story(readbacks=(Readback("database", compared(lost=3)),))),
    "drops-in-flight": ("in_flight", lambda: restart(lost=7)),
    "drops some with an error": ("in_flight", lambda: restart(lost=2, ending=Ending.WRONG)),
    "session-loss": ("sessions", lambda: story(sessions_after=0)),
    "retry-storm": ("no_storm", lambda: story(slow_until(18.0), seconds=30.0)),
    "slow-start": ("recovered", lambda: restart(ended=44.0)),
    "duplicate-on-retry": ("duplicates", lambda: story(readbacks=(Readback("api", compared(doubled=2)),))),
    "stored what it refused": ("phantom", lambda: story(readbacks=(Readback("api", compared(phantom=1)),))),
    "leaks connections": ("pool", lambda: story(pool_sessions_after=21)),
    "orphans": ("consistent", lambda: story(consistent=(Consistent("orphans", False, "4 orphans"),))),
    "not put back": (
        "restored",
        lambda: story(strikes=(strike(restored=False, by_hand=("docker start x",)),)),
    ),
    "dies without its cache": ("during", lambda: story(during="degraded")),
    "reads need the master": ("during", lambda: story(during="reads")),
}


@pytest.mark.parametrize("name", DEFECTS)
def test_each_defect_fails_its_own_check_and_no_other(name):
    check, told = DEFECTS[name]
    assert with_outcome(judged(told()), "failed") == {check}


@pytest.mark.parametrize("told", [story(), restart(), story(down(0, 0), during="degraded")])
def test_a_service_that_bears_it_passes_every_check_that_means_something(told):
    found = judged(told)
    assert with_outcome(found, "failed", "warned", "inconclusive") == set()
    assert {"effect", "recovered", "lost", "duplicates", "sessions", "restored"} <= with_outcome(
        found, "passed"
    )


def test_a_few_that_met_a_closed_connection_may_not_have_been_read():
    found = judged(restart(lost=1))["in_flight"]
    assert found.outcome is Outcome.INCONCLUSIVE
    assert "1 of 12 requests in flight met a closed connection" in found.message


def test_what_nobody_felt_proves_nothing_about_how_it_fails():
    found = judged(story(down(0, 0)))
    assert {"fails_fast", "no_storm"} <= with_outcome(found, "not_applicable")
    assert "no client felt it" in found["recovered"].message


def test_every_check_has_its_judge():
    assert list(JUDGES) == list(CHECKS)


def test_a_fault_that_is_not_proved_proves_nothing_good():
    found = judged(story(strikes=(strike(proved=False, proof="it still runs"),)))
    assert with_outcome(found, "passed") == {"restored"}
    assert "not proved to have happened (stop the database: it still runs)" in found["recovered"].message
    lost = judged(story(strikes=(strike(proved=False),), readbacks=(Readback("api", compared(lost=1)),)))
    assert lost["lost"].outcome is Outcome.FAILED, "what was seen to be lost is lost"


def test_a_lost_write_and_what_is_not_put_back_stop_a_release():
    found = judged(DEFECTS["ack-before-commit"][1]())
    assert found["lost"].severity is Severity.BLOCKER
    assert "3 of 200 acknowledged writes lost, the first: 0, 1, 2 (database)" in found["lost"].message
    left = judged(DEFECTS["not put back"][1]())["restored"]
    assert left.severity is Severity.BLOCKER
    assert "docker start x" in left.remedy


def test_without_an_acknowledged_write_nothing_is_known_of_lost_ones():
    told = story(
        probes=probes(down(5.15, 10.5), seconds=20.0), readbacks=(Readback("api", compared(acknowledged=0)),)
    )
    assert judged(told)["lost"].outcome is Outcome.INCONCLUSIVE
    never = probes(lambda _: (STATUS, 0.01, 503), seconds=20.0, kind="write", operation="converse")
    told = story(probes=probes(down(5.15, 10.5), seconds=20.0) + never)
    assert "no write was acknowledged" in judged(told)["lost"].message


def test_one_place_that_cannot_be_read_leaves_it_open_and_one_that_lost_does_not():
    unread = Readback("database", None, "connection refused")
    assert (
        judged(story(readbacks=(Readback("api", compared()), unread)))["lost"].outcome is Outcome.INCONCLUSIVE
    )
    assert (
        judged(story(readbacks=(Readback("api", compared(lost=1)), unread)))["lost"].outcome is Outcome.FAILED
    )


def test_what_never_recovers_is_told_with_the_limit():
    message = judged(DEFECTS["no-reconnect"][1]())["recovered"].message
    assert "time to recover, from the start command, was > 30 s (at most 30 s)" in message


def test_what_was_interrupted_before_the_limit_is_open():
    told = story(down(5.15, 99.0), seconds=20.0, why="the campaign was interrupted")
    assert judged(told)["recovered"].outcome is Outcome.INCONCLUSIVE
    assert "interrupted" in judged(told)["recovered"].message


def test_a_recovery_is_held_against_the_limit_with_the_time_between_probes_as_its_doubt():
    told = story(down(5.15, 12.0))  # 2 s after the start command
    assert judged(told, settings_of(recovered_within="2.2s"))["recovered"].outcome is Outcome.PASSED
    assert judged(told, settings_of(recovered_within="1.8s"))["recovered"].outcome is Outcome.FAILED
    assert judged(told, settings_of(recovered_within="2s"))["recovered"].outcome is Outcome.INCONCLUSIVE


def test_what_heals_itself_counts_from_the_confirmed_stop():
    watched = strike(heals_itself=True, start=None, running=7.0)
    finding = judged(story(down(5.15, 8.1), strikes=(watched,)))["recovered"]
    assert "from the confirmed stop, was 3 s (at most 30 s) ± 50 ms" in finding.message
    assert "unavailable for 2.95 s from the first failure" in finding.message


def test_reads_are_held_against_reads_alone():
    reads = probes(down(0, 0), seconds=20.0)
    writes = probes(down(5.15, 10.5), seconds=20.0, rate=10.0, kind="write", operation="converse")
    assert judged(story(probes=reads + writes, during="reads"))["during"].outcome is Outcome.PASSED
    assert judged(story(probes=reads + writes, during="degraded"))["during"].outcome is Outcome.FAILED


def test_a_full_outage_that_was_declared_is_told_and_not_judged():
    finding = judged(story())["during"]
    assert finding.outcome is Outcome.INFORMATIONAL
    assert "1 of 102" not in finding.message
    assert "2 of 153 requests made meanwhile succeeded" in finding.message


def test_without_evidence_every_planned_check_is_there_and_open():
    found = list(judge_failover(Evidence(), FailoverSettings.model_validate(MAPPED)))
    names = {each.check.partition(".")[0] for each in found}
    assert names == set(SHIPPED)
    assert {each.check for each in found} == {f"{name}.{check}" for name in SHIPPED for check in CHECKS}
    assert {each.outcome for each in found} == {Outcome.INCONCLUSIVE, Outcome.NOT_APPLICABLE}
    restored = [each for each in found if each.check.endswith(".restored")]
    assert {(each.outcome, each.severity) for each in restored} == {(Outcome.INCONCLUSIVE, Severity.BLOCKER)}


def test_what_was_left_out_leaves_the_plan_only_where_nobody_asked_for_it():
    plan = {PLAN: [{"name": "cache_down", "title": "Cache down and up", "why": "no part 'cache' is named"}]}
    default = FailoverSettings.model_validate(MAPPED)
    found = [each for each in judge_failover(Evidence(facts=plan), default) if "cache_down" in each.check]
    assert [(each.check, each.outcome) for each in found] == [("cache_down.effect", Outcome.NOT_APPLICABLE)]
    brief = judge_failover(Evidence(facts=plan), default.quick())
    found = [each for each in brief if "cache_down" in each.check]
    assert [(each.check, each.outcome) for each in found] == [("cache_down.effect", Outcome.NOT_APPLICABLE)]
    named = list(judge_failover(Evidence(facts=plan), settings_of("cache_down")))
    assert {each.outcome for each in named} == {Outcome.INCONCLUSIVE, Outcome.NOT_APPLICABLE}
    assert any("no part 'cache' is named" in each.message for each in named)


def test_what_the_file_does_not_map_is_not_tested_and_says_so():
    settings = FailoverSettings.model_validate({"scenarios": {"database_down": {}}})
    found = judged(story(), settings)
    assert {"lost", "phantom", "duplicates", "sessions"} <= with_outcome(found, "not_applicable")
    assert "failover.writes" in found["lost"].message


def test_what_was_not_well_before_is_not_judged():
    told = story(
        strikes=(), readbacks=(), consistent=(), why="all was not well before it: 9 of 100 probes failed"
    )
    found = judged(told)
    assert with_outcome(found, "passed", "failed") == set()
    assert "all was not well before it" in found["recovered"].message


def test_what_failed_before_the_fault_already_is_nothing_to_compare_with():
    found = judged(story(lambda due: (STATUS, 0.005, 503) if round(due * 20) % 5 == 0 else (OK, 0.005, 200)))
    assert found["recovered"].outcome is Outcome.INCONCLUSIVE
    assert "of the probes failed before it already" in found["recovered"].message
