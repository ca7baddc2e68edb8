"""Which probes the settings ask for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from campaign.records import Severity
from phases.safety.probe import Planned
from phases.safety.retention.ages import AGE, POLICY
from phases.safety.retention.asking import EXTRA, OPTIONAL
from phases.safety.retention.personal import check_of
from phases.safety.retention.purge import PURGE
from phases.safety.retention.shapes import Kind

if TYPE_CHECKING:
    from phases.safety.retention.settings import RetentionSettings

NO_POLICY = "the campaign file has no policy: for each table, how long its rows are kept (retention.policy)"
NO_PURGE = "the campaign file does not say what removes old rows (retention.purge)"
NO_OPTIONAL = "the campaign file does not say which fields may be left out (retention.optional)"
NO_EXTRA = "the campaign file does not say what may be sent too much (retention.extra)"
NO_MAP = "the campaign file does not declare which personal data are kept (retention.data_map)"


def planned(settings: RetentionSettings) -> Iterator[Planned]:
    """A probe per table of the policy, per optional field, per operation, and per kind of personal data."""
    yield Planned(
        POLICY,
        Severity.CRITICAL if not settings.policy else Severity.IMPORTANT,
        "" if settings.policy else NO_POLICY,
    )
    for name in _ageing(settings):
        yield Planned(f"{AGE}.{name}", Severity.CRITICAL)
        if settings.purge:
            yield Planned(f"{PURGE}.{name}", Severity.CRITICAL)
    if not settings.purge:
        yield Planned(PURGE, Severity.IMPORTANT, NO_PURGE)
    for operation, fields in settings.optional.items():
        for field in fields:
            yield Planned(f"{OPTIONAL}.{operation}.{field}", Severity.IMPORTANT)
    if not settings.optional:
        yield Planned(OPTIONAL, Severity.IMPORTANT, NO_OPTIONAL)
    for operation in settings.extra:
        yield Planned(f"{EXTRA}.{operation}", Severity.IMPORTANT)
    if not settings.extra:
        yield Planned(EXTRA, Severity.IMPORTANT, NO_EXTRA)
    for kind in Kind:
        yield Planned(check_of(kind), Severity.CRITICAL, "" if settings.data_map else NO_MAP)


def _ageing(settings: RetentionSettings) -> Iterator[str]:
    return (name for name, each in settings.policy.items() if not isinstance(each.keep, str))


def mapped(settings: RetentionSettings) -> bool:
    """Whether the file says anything of it."""
    return bool(
        settings.policy or settings.expiring or settings.optional or settings.extra or settings.data_map
    )
