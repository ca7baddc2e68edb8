"""Whom the target called, with whose data, and whether its notice says so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from campaign.records import Evidence, Finding
from phases.safety.parties.collect import PART, WITH, WITHOUT
from phases.safety.parties.plan import ALLOWED, DECLARED, DISCLOSURE, NAMED, OPEN, PHRASES, USABLE, planned
from phases.safety.parties.settings import Notice, PartiesSettings
from phases.safety.probe import Answered, Probe, findings_of
from phases.safety.scene import facts_of, trouble_of

OK = 200
SEVERITIES = {each.check: each.severity for each in planned(PartiesSettings())}
NOTHING_CAME = (
    "no call came to our recorder: start the target with HTTP_PROXY and HTTPS_PROXY set to "
    "http://127.0.0.1:{port}, and have `use` do something that calls a third party"
)


def findings(evidence: Evidence, settings: PartiesSettings) -> Iterator[Finding]:
    """One finding per planned probe."""
    fact = facts_of(evidence, PART)
    wanted = [each for each in planned(settings) if not each.why_not]
    probes = [probe for each in wanted if (probe := _probe(each.check, fact, settings)) is not None]
    trouble = fact.get("why") or trouble_of(evidence, PART)
    return findings_of(probes, planned(settings), trouble=trouble)


def _probe(check: str, fact: dict[str, Any], settings: PartiesSettings) -> Probe | None:
    """The answer to one check; None where nothing was recorded for it."""
    if check in {OPEN, PHRASES, NAMED}:
        return _notice(check, fact, settings) if "notice" in fact and settings.notice else None
    if not fact.get("uses"):
        return None
    judges = {DECLARED: _declared, DISCLOSURE: _disclosure, USABLE: _usable, ALLOWED: _allowed}
    return judges[check](fact, settings)


def _declared(fact: dict[str, Any], settings: PartiesSettings) -> Probe:
    hosts = list(dict.fromkeys(call["host"] for call in fact["calls"]))
    strange = [host for host in hosts if settings.party_of(host) is None]
    if not hosts:
        return _open_question(DECLARED, NOTHING_CAME.format(port=settings.listen))
    many = f"{len(hosts)} host{'s were' if len(hosts) > 1 else ' was'} called"
    said = f"{many} ({', '.join(hosts[:5])}), {len(strange)} of them undeclared"
    if strange:
        said += f": {', '.join(strange[:5])}"
    remedy = "Declare the third party in the notice and in parties.declared, or stop calling it."
    return _fact(DECLARED, not strange, said=said, remedy=remedy)


def _disclosure(fact: dict[str, Any], settings: PartiesSettings) -> Probe:
    """No child's data to those who are not integral, before that was consented to."""
    calls = [call for call in fact["calls"] if call["stage"] == WITHOUT]
    foreign = [call for call in calls if not _integral(call["host"], settings)]
    told = [call for call in foreign if call["canaries"]]
    if told:
        hosts = ", ".join(dict.fromkeys(call["host"] for call in told))
        said = f"{len(told)} calls {WITHOUT} held a child's words: to {hosts} ({told[0]['what']})"
        remedy = (
            "Ask for consent to disclosure apart from that to collection, and look at it before each call."
        )
        return _fact(DISCLOSURE, False, said=said, remedy=remedy, exchanges=_exchanges(fact, WITHOUT))
    if not fact["calls"]:
        return _open_question(DISCLOSURE, NOTHING_CAME.format(port=settings.listen))
    unseen = [call for call in foreign if call["sealed"] or not call["whole"]]
    if unseen:
        why = f"what {unseen[0]['what']} held could not be read ({len(unseen)} calls), {WITHOUT}"
        return _open_question(DISCLOSURE, why)
    if not any(use["ok"] for use in fact["uses"] if use["stage"] == WITHOUT):
        return _open_question(DISCLOSURE, "nothing that was done went well")
    made = f"none of {len(calls)} calls" if calls else "no call was made at all"
    took = " took a child's words to who is not integral" if calls else f", and {len(fact['calls'])} with it"
    said = f"{made} {WITHOUT}{took}"
    return _fact(DISCLOSURE, True, said=said)


def _usable(fact: dict[str, Any], settings: PartiesSettings) -> Probe:
    """Collection yes, disclosure no must be possible (16 CFR 312.5(a)(2))."""
    refused = [use for use in fact["uses"] if use["stage"] == WITHOUT and not use["ok"]]
    if not refused:
        return _fact(USABLE, True, said=f"all of {', '.join(settings.use)} went well {WITHOUT}")
    allowed = {use["operation"] for use in fact["uses"] if use["stage"] == WITH and use["ok"]}
    only_then = [use for use in refused if use["operation"] in allowed]
    if not only_then:
        why = f"{refused[0]['operation']} did not go well at all: {refused[0]['why']}"
        return _open_question(USABLE, why)
    said = f"{only_then[0]['operation']} goes well {WITH} only: {only_then[0]['why']}"
    remedy = "Let parents consent to collection alone; only what is integral may depend on disclosure."
    return _fact(USABLE, False, said=said, remedy=remedy, exchanges=(only_then[0]["exchange"],))


def _allowed(fact: dict[str, Any], _settings: PartiesSettings) -> Probe:
    uses = [use for use in fact["uses"] if use["stage"] == WITH]
    if not uses:
        why = fact.get("no_consent") or "it was never reached"
        return _open_question(ALLOWED, why)
    calls = [call for call in fact["calls"] if call["stage"] == WITH and call["canaries"]]
    hosts = ", ".join(dict.fromkeys(call["host"] for call in calls)) or "nobody that we could read"
    bad = [use for use in uses if not use["ok"]]
    said = f"{WITH} {len(uses) - len(bad)} of {len(uses)} went well; a child's words went to {hosts}"
    return _fact(ALLOWED, not bad, said=said, exchanges=_exchanges(fact, WITH))


def _notice(check: str, fact: dict[str, Any], settings: PartiesSettings) -> Probe:
    seen, notice = fact["notice"], settings.notice
    assert notice is not None  # noqa: S101 - whoever calls has looked
    if seen["status"] is None:
        return _open_question(check, f"the notice {notice.url}: {seen['why']}")
    if check == OPEN:
        said = f"the notice {notice.url} answered {seen['status']} to somebody who is not signed in"
        remedy = "Show the notice to everybody, before any account is made."
        return _fact(OPEN, seen["status"] == OK and bool(seen["text"]), said=said, remedy=remedy)
    if seen["status"] != OK:
        return _open_question(check, f"the notice answered {seen['status']}")
    return _phrases(seen["text"], notice) if check == PHRASES else _named(seen["text"], fact, settings)


def _phrases(text: str, notice: Notice) -> Probe:
    missing = [each for each in notice.phrases if " ".join(each.lower().split()) not in text]
    said = f"{len(notice.phrases) - len(missing)} of {len(notice.phrases)} phrases are in the notice"
    if missing:
        said += f"; missing: {', '.join(repr(each) for each in missing[:5])}"
    return _fact(PHRASES, not missing, said=said, remedy="Say so in the notice, in plain words.")


def _named(text: str, fact: dict[str, Any], settings: PartiesSettings) -> Probe:
    """Those that are declared, and those that were called."""
    called = list(dict.fromkeys(call["host"] for call in fact["calls"]))
    strange = [host for host in called if settings.party_of(host) is None]
    missing = [each for each in (*settings.declared, *strange) if each.lower() not in text]
    said = f"{len(settings.declared)} declared third parties and {len(strange)} others that were called"
    said += f": the notice does not name {', '.join(missing[:5])}" if missing else ": the notice names all"
    return _fact(NAMED, not missing, said=said, remedy="Name every third party in the notice.")


def _integral(host: str, settings: PartiesSettings) -> bool:
    name = settings.party_of(host)
    return name is not None and settings.declared[name].integral


def _exchanges(fact: dict[str, Any], stage: str) -> tuple[str, ...]:
    return tuple(use["exchange"] for use in fact["uses"] if use["stage"] == stage)[:3]


def _fact(check: str, ok: bool, *, said: str, remedy: str = "", exchanges: tuple[str, ...] = ()) -> Probe:  # noqa: FBT001 - the fact itself, not a switch
    answered = Answered.PASSED if ok else Answered.FAILED
    return Probe(check, SEVERITIES[check], answered, said, remedy, exchanges)


def _open_question(check: str, why: str) -> Probe:
    return Probe(check, SEVERITIES[check], Answered.NOT_TESTED, why)
