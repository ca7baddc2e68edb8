"""Which probes the settings ask for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from campaign.records import Severity
from phases.safety.deletion.afterwards import ASSISTANT, SAME_NAME
from phases.safety.deletion.collecting import EXPORT
from phases.safety.deletion.erasure import DATABASE
from phases.safety.deletion.others import OTHERS
from phases.safety.deletion.race import RESURRECTION
from phases.safety.deletion.strangers import BY_OTHERS, CHILD, FAMILY, NOBODY
from phases.safety.probe import Planned

if TYPE_CHECKING:
    from phases.safety.deletion.settings import DeletionSettings
    from phases.safety.settings import SafetySettings

ERASED, READ = "deletion.erased", "deletion.reads"

NOT_MAPPED = (
    "the campaign file does not say who is deleted, how, and what is collected of it "
    "(deletion: {role, delete, collect})"
)


def mapped(settings: DeletionSettings) -> bool:
    """Whether the file says enough to delete anything."""
    return bool(settings.role and settings.delete and settings.collect)


def planned(settings: SafetySettings) -> Iterator[Planned]:
    """A probe per path of collection, per store, per attacker, and the others."""
    deletion = settings.deletion
    missing = "" if mapped(deletion) else NOT_MAPPED
    yield from _exports(deletion, missing)
    yield Planned(f"{ERASED}.{DATABASE}", Severity.BLOCKER, missing)
    no_reads = (
        ""
        if deletion.reads
        else "the campaign file does not say how a child's data are read (deletion.reads)"
    )
    for check in (READ, SAME_NAME):
        yield Planned(check, Severity.BLOCKER, missing or no_reads)
    for role in deletion.readers:
        yield Planned(f"{READ}.{role}", Severity.BLOCKER, missing)
    for kind in (FAMILY, NOBODY, *((CHILD,) if signs_in(settings) else ())):
        yield Planned(f"{BY_OTHERS}.{kind}", Severity.BLOCKER, missing or no_reads)
    yield Planned(OTHERS, Severity.BLOCKER, missing)
    no_race = "" if deletion.race else "the campaign file names no writers (deletion.race)"
    yield Planned(RESURRECTION, Severity.BLOCKER, missing or no_race)
    no_secret = "" if deletion.secret else "the campaign file tells the assistant nothing (deletion.secret)"
    yield Planned(
        ASSISTANT, Severity.CRITICAL if deletion.secret else Severity.IMPORTANT, missing or no_secret
    )


def _exports(deletion: DeletionSettings, missing: str) -> Iterator[Planned]:
    none = "" if deletion.export else "the campaign file says nothing of an export (deletion.export)"
    if not deletion.collect:
        yield Planned(EXPORT, Severity.CRITICAL, missing)
    for operation in deletion.collect:
        yield Planned(f"{EXPORT}.{operation}", Severity.CRITICAL, missing or none)


def signs_in(settings: SafetySettings) -> bool:
    """Whether the file gives children credentials of their own."""
    role = settings.roles.get(settings.deletion.role)
    return bool(role and role.of and (role.credentials or role.auth))
