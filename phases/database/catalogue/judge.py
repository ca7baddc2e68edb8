"""The verdict on a schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from campaign import checks
from campaign.records import Evidence, Finding, Outcome, Severity
from phases.database.catalogue.settings import CatalogueSettings
from phases.database.scene import facts_of, trouble_of

SEVERITIES = {
    "indexes": Severity.IMPORTANT,
    "references": Severity.CRITICAL,
    "orphans": Severity.CRITICAL,
    "engines": Severity.IMPORTANT,
    "primary_keys": Severity.MINOR,
}
MOST_NAMED = 5
NO_TABLES = (
    "Look at the database's name in target.database and at the account's rights; where the target has no "
    "tables, leave the part out: `database: {skip: [catalogue]}`."
)
MEANT = "Where it is meant so, name it under catalogue: {ignore: [...]}."

Facts = Mapping[str, Any]


def judge_catalogue(evidence: Evidence, settings: CatalogueSettings) -> Iterator[Finding]:
    """One finding per check that is asked for; all are undecided where no table is seen."""
    facts, trouble = facts_of(evidence, "catalogue"), trouble_of(evidence, "catalogue")
    for name in (*settings.checks, *(("orphans",) if "references" in settings.checks else ())):
        if name == "engines" and facts.get("product", "") not in {"MariaDB", "MySQL"}:
            continue
        yield _judged(name, facts, settings, trouble=trouble)


def _judged(name: str, facts: Facts, settings: CatalogueSettings, *, trouble: str) -> Finding:
    check, severity = f"catalogue.{name}", SEVERITIES[name]
    if trouble or not facts:
        return checks.inconclusive(check, f"the schema was not read: {trouble}", severity=severity)
    if not facts["count"]:
        why = facts.get("unseen") or "is it the target's database, and may this account see its tables?"
        return checks.inconclusive(
            check, f"no table of the target is seen: {why}", severity=severity, remedy=NO_TABLES
        )
    judge = {
        "indexes": _indexes,
        "references": _references,
        "orphans": _orphans,
        "engines": _engines,
        "primary_keys": _primary_keys,
    }[name]
    finding = judge(facts, settings)
    partly = _partly(facts)
    if partly and finding.outcome in {Outcome.PASSED, Outcome.NOT_APPLICABLE}:
        return checks.inconclusive(check, f"{finding.message}, but {partly}", severity=severity)
    return finding


def _partly(facts: Facts) -> str:
    """Why what was seen is not the whole schema, or ""."""
    if facts["count"] < facts["there"]:
        return f"only {facts['count']:,} of {facts['there']:,} tables were looked at"
    return str(facts.get("unseen", ""))


def _indexes(facts: Facts, settings: CatalogueSettings) -> Finding:
    check, large, lacking = "catalogue.indexes", facts["large"], facts["unindexed"]
    size = f"more than {settings.many_rows:,} rows"
    if not large:
        return checks.not_applicable(check, f"no table with references has {size}")
    if not lacking:
        message = f"all {large:,} references of tables with {size} have an index"
        return checks.holds(check, True, message=message, severity=Severity.IMPORTANT)
    named = _named(
        [f"{each['table']} ({', '.join(each['columns'])}), {each['rows']:,} rows" for each in lacking]
    )
    return checks.holds(
        check,
        False,
        message=f"{len(lacking):,} of {large:,} references of tables with {size} have no index: {named}",
        severity=Severity.IMPORTANT,
        remedy=f"Make an index that begins with the column; each join and each cascade reads the whole "
        f"table without it. {MEANT}",
    )


def _references(facts: Facts, settings: CatalogueSettings) -> Finding:
    del settings
    check, without, declared = "catalogue.references", facts["references"], facts["declared"]
    if not without and not declared:
        return checks.not_applicable(check, "no column looks like a reference to another table")
    if not without:
        message = f"all {declared:,} columns that look like references have a foreign key"
        return checks.holds(check, True, message=message)
    named = _named([f"{each['column']} (of {each['to']})" for each in without])
    return checks.holds(
        check,
        False,
        message=f"{len(without):,} of {len(without) + declared:,} columns that look like references have no "
        f"foreign key: {named}",
        remedy=f"Declare the foreign keys, or rows outlive what they belong to. {MEANT}",
    )


def _orphans(facts: Facts, settings: CatalogueSettings) -> Finding:
    del settings
    check, counted = "catalogue.orphans", facts.get("orphans")
    if counted is None:
        return checks.inconclusive(check, "orphans were not counted")
    if not counted:
        unchecked = facts.get("product") in {"MariaDB", "MySQL"}
        but = "; rows written with foreign_key_checks=0 were not looked for" if unchecked else ""
        message = f"every reference has a foreign key that the database enforces{but}"
        return checks.not_applicable(check, message)
    found = [each for each in counted if each["orphans"]]
    if found:
        named = _named([f"{each['orphans']:,} in {each['column']}" for each in found])
        return checks.holds(
            check,
            False,
            message=f"rows refer to something that is not there: {named}",
            remedy="Delete or mend them, then declare the foreign key, or validate the one there is.",
        )
    unknown = [f"{each['column']} ({each['why']})" for each in counted if each["orphans"] is None]
    if unknown:
        return checks.inconclusive(check, f"orphans could not be counted: {_named(unknown)}")
    message = f"no row refers to something that is not there, in {len(counted):,} columns without proof of it"
    return checks.holds(check, True, message=message)


def _engines(facts: Facts, settings: CatalogueSettings) -> Finding:
    del settings
    others = facts["engines"]
    named = _named([f"{table} ({engine})" for table, engine in others.items()])
    count = facts["count"]
    return checks.holds(
        "catalogue.engines",
        not others,
        message=f"{len(others):,} of {count:,} tables that this account sees are not InnoDB: {named}"
        if others
        else f"all {count:,} tables that this account sees are InnoDB",
        severity=Severity.IMPORTANT,
        remedy=f"ALTER TABLE ... ENGINE=InnoDB: the others know no transactions and no foreign keys. {MEANT}",
    )


def _primary_keys(facts: Facts, settings: CatalogueSettings) -> Finding:
    del settings
    without, count = facts["without_primary_key"], facts["count"]
    return checks.holds(
        "catalogue.primary_keys",
        not without,
        message=f"{len(without):,} of {count:,} tables that this account sees have no primary key: "
        f"{_named(without)}"
        if without
        else f"all {count:,} tables that this account sees have a primary key",
        severity=Severity.MINOR,
        remedy=f"Give each a primary key; replication and repair need one. {MEANT}",
    )


def _named(names: Sequence[str]) -> str:
    rest = len(names) - MOST_NAMED
    return "; ".join(names[:MOST_NAMED]) + (f"; and {rest:,} more" if rest > 0 else "")
