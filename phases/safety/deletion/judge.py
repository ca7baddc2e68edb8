"""The findings of all probes of deletion, and of those that were planned and never asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from campaign import checks
from campaign.records import Evidence, Finding
from phases.safety.deletion.collect import PART
from phases.safety.deletion.collecting import EXPORT
from phases.safety.deletion.erasure import LOGS, REDIS
from phases.safety.deletion.plan import ERASED, planned, signs_in
from phases.safety.deletion.strangers import BY_OTHERS, CHILD
from phases.safety.probe import Answered, Probe, findings_of, read_probes
from phases.safety.scene import trouble_of

if TYPE_CHECKING:
    from phases.safety.settings import SafetySettings


def findings(evidence: Evidence, settings: SafetySettings) -> Iterator[Finding]:
    """One finding per planned probe, what has no meaning for this target, and the recall of the export."""
    probes = read_probes(evidence, PART)
    yield from findings_of(probes, planned(settings), trouble=trouble_of(evidence, PART))
    asked = {probe.check for probe in probes}
    if f"{ERASED}.{REDIS}" not in asked:
        why = "not tested: the campaign file names no Redis (target.redis)"
        yield checks.not_applicable(f"{ERASED}.{REDIS}", why)
    if not settings.deletion.logs:
        why = "not tested: the campaign file names no log files (deletion.logs)"
        yield checks.not_applicable(f"{ERASED}.{LOGS}", why)
    if not signs_in(settings):
        why = "not tested: the campaign file gives children no credentials of their own"
        yield checks.not_applicable(f"{BY_OTHERS}.{CHILD}", why)
    yield from _recall(evidence, probes)


def _recall(evidence: Evidence, probes: list[Probe]) -> Iterator[Finding]:
    tested = [
        each for each in probes
        if each.check.startswith(f"{EXPORT}.") and each.answered is not Answered.NOT_TESTED
    ]  # fmt: skip
    if tested:
        found = sum(each.answered is Answered.PASSED for each in tested)
        said = f"the export holds what {found} of {len(tested)} paths of collection stored"
        yield checks.informational("deletion.recall", said, measured=evidence.find("deletion.recall"))
