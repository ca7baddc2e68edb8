"""Whether a committed write survives a crash, by what was read back. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from campaign import checks
from campaign.records import Evidence, Finding, Severity
from phases.database.durability.meanings import Meaning, Verdict, meanings
from phases.database.durability.settings import DurabilitySettings
from phases.database.scene import facts_of, trouble_of

COMMITS = "durability.commits"
PAGES = "durability.pages"
POWER = "durability.power_loss"
COPIES = "durability.copies"
ROLES = "durability.roles"
TABLES = "durability.tables"

PLANNED: Mapping[str, Severity] = {
    COMMITS: Severity.CRITICAL,
    PAGES: Severity.CRITICAL,
    POWER: Severity.IMPORTANT,
    COPIES: Severity.IMPORTANT,
    ROLES: Severity.CRITICAL,
    TABLES: Severity.IMPORTANT,
}
"""Every check, and what it counts."""

_OF = {
    COMMITS: (Verdict.LOSES, "a committed write survives a crash of the server and of the machine"),
    PAGES: (Verdict.DAMAGES, "a crash of the machine leaves no broken pages"),
    POWER: (Verdict.POWER, "a power loss takes no commit and leaves the file whole"),
    COPIES: (Verdict.COPIES, "no copy of the data may lack commits"),
}
_DECIDING: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    COMMITS: {
        "PostgreSQL": ("fsync", "synchronous_commit"),
        "MariaDB": ("innodb_flush_log_at_trx_commit",),
        "MySQL": ("innodb_flush_log_at_trx_commit",),
        "SQLite": ("journal_mode", "synchronous"),
    },
    PAGES: {
        "PostgreSQL": ("fsync", "full_page_writes"),
        "MariaDB": ("innodb_doublewrite",),
        "MySQL": ("innodb_doublewrite",),
    },
    POWER: {"SQLite": ("journal_mode", "synchronous")},
    COPIES: {
        "PostgreSQL": ("synchronous_commit", "synchronous_standby_names"),
        "MariaDB": ("log_bin", "sync_binlog"),
        "MySQL": ("log_bin", "sync_binlog"),
    },
}
"""The settings without which nothing can be said, by check and product."""

_ELSEWHERE = {PAGES: {"SQLite"}, POWER: {"PostgreSQL", "MariaDB", "MySQL"}, COPIES: {"SQLite"}}
"""Where a check has no meaning."""

ONLY_OURS = (
    "; SQLite keeps only journal_mode=wal in the file, all else is each connection's own: these are our "
    "connection's defaults, and what the service sets on its own can be said in durability.session"
)


def judge_durability(evidence: Evidence, settings: DurabilitySettings) -> Iterator[Finding]:
    """One finding per planned check."""
    facts = facts_of(evidence, "durability")
    if not facts:
        why = f"the settings were not read: {trouble_of(evidence, 'durability')}"
        yield from (checks.inconclusive(name, why, severity=severity) for name, severity in PLANNED.items())
        return
    found = meanings(_product(facts), values_of(facts, settings.session))
    for check in _OF:
        yield _of_settings(check, found, facts=facts, settings=settings)
    yield _of_roles(facts, settings)
    yield _of_tables(facts, settings)


def values_of(facts: Mapping[str, Any], session: Mapping[Any, str]) -> dict[str, str]:
    """The settings that a connection of the service gets: as read, and what it is said to set itself."""
    return {each["name"]: each["value"] for each in facts.get("settings", ())} | dict(session)


def table(facts: Mapping[str, Any]) -> list[dict[str, str]]:
    """The settings for people: name, value, where it comes from, what it means, the verdict."""
    session = facts.get("session", {})
    sources = {each["name"]: each["source"] for each in facts.get("settings", ())}
    sources |= dict.fromkeys(session, "durability.session of the campaign file")
    return [
        {
            "name": each.name,
            "value": each.value,
            "source": sources.get(each.name, ""),
            "meaning": each.text,
            "verdict": each.verdict.value,
            "kind": _kind(each.verdict),
        }
        for each in meanings(_product(facts), values_of(facts, session))
    ]


def _kind(verdict: Verdict) -> str:
    if verdict is Verdict.FACT:
        return "informational"
    bad = {Verdict.LOSES: "failed", Verdict.DAMAGES: "failed"}
    return "passed" if verdict is Verdict.SAFE else bad.get(verdict, "warned")


def _product(facts: Mapping[str, Any]) -> str:
    return str(facts.get("product", ""))


def _of_settings(
    check: str, found: tuple[Meaning, ...], *, facts: Mapping[str, Any], settings: DurabilitySettings
) -> Finding:
    verdict, good = _OF[check]
    product, severity = _product(facts), PLANNED[check]
    if product in _ELSEWHERE.get(check, ()):
        return checks.not_applicable(check, f"{product} has no setting for that", severity=severity)
    if missing := _missing(check, found, product):
        return checks.inconclusive(check, f"{product} did not say its {missing}", severity=severity)
    bad = [each for each in found if each.verdict is verdict]
    blamed = [each for each in bad if each.name not in settings.accept]
    if bad and not blamed:
        return checks.informational(check, f"accepted in the campaign file: {_told(bad)}")
    message = _told(blamed) if blamed else f"{good}: {_values(found)}"
    remedy = _remedy(blamed)
    ours = ONLY_OURS if product == "SQLite" and not settings.session else ""
    return checks.holds(check, not blamed, message=f"{message}{ours}", severity=severity, remedy=remedy)


def _missing(check: str, found: tuple[Meaning, ...], product: str) -> str:
    """The settings that decide and that the server did not tell."""
    told = {each.name for each in found}
    needed = _DECIDING[check].get(product, ("settings",))
    return ", ".join(name for name in needed if name not in told)


def _told(found: list[Meaning]) -> str:
    return "; ".join(f"{each.name} = {each.value}: {each.text}" for each in found)


def _values(found: tuple[Meaning, ...]) -> str:
    return ", ".join(f"{each.name} = {each.value}" for each in found if each.verdict is not Verdict.FACT)


def _remedy(blamed: list[Meaning]) -> str:
    if not blamed:
        return ""
    right = "; ".join(each.remedy for each in blamed)
    names = ", ".join(each.name for each in blamed)
    return f"Set {right}. Who knows what it costs and wants it says `durability: {{accept: [{names}]}}`."


def _of_roles(facts: Mapping[str, Any], settings: DurabilitySettings) -> Finding:
    """Whether other roles get a weaker setting than our connection: the service may be one of them."""
    severity = PLANNED[ROLES]
    if _product(facts) != "PostgreSQL":
        return checks.not_applicable(ROLES, "only PostgreSQL has such settings by role", severity=severity)
    if unseen := facts.get("overrides_unseen", ""):
        return checks.inconclusive(ROLES, f"the settings by role cannot be read: {unseen}", severity=severity)
    weak = [each for each in facts.get("overrides", ()) if _is_weak(each)]
    if not weak:
        return checks.holds(
            ROLES, True, message="no other role gets a weaker synchronous_commit", severity=severity
        )
    told = "; ".join(_of_role(each) for each in weak)
    if "synchronous_commit" in settings.accept:
        return checks.informational(ROLES, f"accepted in the campaign file: {told}")
    used = any(each["used"] for each in weak)
    return checks.holds(
        ROLES,
        False,
        message=told,
        severity=severity if used else Severity.IMPORTANT,
        remedy="ALTER ROLE … RESET synchronous_commit, where the service uses that role.",
    )


def _is_weak(override: Mapping[str, Any]) -> bool:
    return not override["ours"] and str(override["value"]).lower() in {"off", "false", "0", "no"}


def _of_role(override: Mapping[str, Any]) -> str:
    where = f" in {override['database']}" if override["database"] else ""
    now = "connected now" if override["used"] else "not connected now"
    return (
        f"role {override['role']} ({now}) gets {override['name']} = {override['value']}{where}: "
        "what it commits just before a crash is lost"
    )


def _of_tables(facts: Mapping[str, Any], settings: DurabilitySettings) -> Finding:
    severity, tables = PLANNED[TABLES], facts.get("tables", [])
    if _product(facts) == "SQLite":
        return checks.not_applicable(TABLES, "SQLite has one kind of table", severity=severity)
    unseen = facts.get("tables_unseen", "" if "tables" in facts else "they were not read")
    if unseen:
        why = f"the tables that a crash may empty cannot be read: {unseen}"
        return checks.inconclusive(TABLES, why, severity=severity)
    if not tables:
        return checks.holds(TABLES, True, message="no table is emptied by a crash", severity=severity)
    told = ", ".join(f"{each['name']} ({each['engine']})" for each in tables[:10])
    if "unlogged" in settings.accept:
        return checks.informational(TABLES, f"accepted in the campaign file: a crash empties {told}")
    more = f" and {len(tables) - 10} more" if len(tables) > 10 else ""
    return checks.holds(
        TABLES,
        False,
        message=f"a crash may empty or damage {told}{more}, whatever was committed to them",
        severity=severity,
        remedy="ALTER TABLE … SET LOGGED (PostgreSQL) or ENGINE=InnoDB (MariaDB, MySQL); "
        "or `durability: {accept: [unlogged]}`.",
    )
