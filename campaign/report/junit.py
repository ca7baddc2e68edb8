"""junit.xml: what a build server shows; one suite per phase, one case per finding."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from xml.etree import ElementTree as ET

from campaign.gate import Broken, unrestored
from campaign.records import CampaignResult, Finding, Outcome, PhaseResult, Status
from campaign.report.atomic import write_text
from campaign.report.document import iso
from campaign.report.text import readable

ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 has no way to hold (section 2.2)."""

SKIPPED = frozenset({Outcome.INCONCLUSIVE, Outcome.NOT_APPLICABLE})


def write(result: CampaignResult, path: Path) -> None:
    """Write the file. Raises ReportError."""
    write_text(path, render(result))


def render(result: CampaignResult) -> str:
    """The XML text."""
    root = ET.Element("testsuites", name=_legal(result.run.name))
    for phase in result.results:
        root.append(_suite(phase))
    if broken := unrestored(result.results):
        root.append(_left_broken(broken))
    for total in ("tests", "failures", "errors", "skipped"):
        root.set(total, str(sum(int(suite.get(total, "0")) for suite in root)))
    root.set("time", f"{result.run.ended_at - result.run.started_at:.3f}")
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _suite(phase: PhaseResult) -> ET.Element:
    suite = ET.Element("testsuite", name=_legal(phase.phase))
    suite.extend(_case(phase, finding) for finding in phase.findings)
    if phase.reason:
        suite.append(_unfinished(phase, phase.reason.text))
    for total, name in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(total, str(len(suite.findall(f"testcase/{name}"))))
    suite.set("tests", str(len(suite)))
    suite.set("time", f"{phase.ended - phase.began:.3f}")
    if phase.began:
        suite.set("timestamp", iso(phase.began).removesuffix("Z"))
    return suite


def _left_broken(broken: Iterable[Broken]) -> ET.Element:
    """A suite of its own, so that no build server can overlook it: an error for all that is broken still."""
    suite = ET.Element("testsuite", name="the target is restored")
    for each in broken:
        case = ET.SubElement(suite, "testcase", classname=_legal(each.phase), name=_legal(each.what))
        text = "\n".join(["Put it back by hand:", *each.by_hand])
        _add(case, "error", message=f"NOT RESTORED: {each.what}: {each.why}", text=text, kind="blocker")
    suite.set("tests", str(len(suite)))
    suite.set("failures", "0")
    suite.set("errors", str(len(suite)))
    suite.set("skipped", "0")
    suite.set("time", "0.000")
    return suite


def _case(phase: PhaseResult, finding: Finding) -> ET.Element:
    case = ET.Element("testcase", classname=_legal(phase.phase), name=_legal(finding.check))
    if finding.outcome is Outcome.FAILED:
        _add(case, "failure", message=finding.message, text=finding.remedy, kind=finding.severity.value)
    elif finding.outcome in SKIPPED:
        _add(case, "skipped", message=f"{finding.outcome.value.replace('_', ' ')}: {finding.message}")
    else:
        ET.SubElement(case, "system-out").text = _legal(f"{finding.outcome.value}: {finding.message}")
    return case


def _unfinished(phase: PhaseResult, why: str) -> ET.Element:
    """A case for the phase itself: skipped where it was left out, an error where it broke."""
    case = ET.Element("testcase", classname=_legal(phase.phase), name=f"{_legal(phase.phase)} completes")
    name = "skipped" if phase.status is Status.SKIPPED else "error"
    _add(case, name, message=f"{phase.status.value}: {why}")
    return case


def _add(case: ET.Element, name: str, *, message: str, text: str = "", kind: str = "") -> None:
    added = ET.SubElement(case, name, message=_legal(message))
    if kind:
        added.set("type", kind)
    added.text = _legal(text) or None


def _legal(text: str) -> str:
    return ILLEGAL.sub("\ufffd", readable(text))
