"""Which rules a check speaks to, and what it does not prove.

Not legal advice: the report says how many mapped probes passed, and never that anything is compliant.

Sources: 16 CFR Part 312 as amended (90 FR 16918, 22 April 2025); Regulation (EU) 2016/679; the ICO's Age
appropriate design code; OWASP API Security Top 10, 2023.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from campaign.records import Finding, Outcome


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its book and section, what it asks, and what no automatic probe of ours can prove of it."""

    book: str
    section: str
    asks: str
    cannot: str

    @property
    def name(self) -> str:
        """As people say it: `COPPA 312.6`."""
        return f"{self.book} {self.section}"


RULES = {
    rule.name: rule
    for rule in (
        Rule("COPPA", "312.2", "personal information, also voice, location, persistent ids, biometric ids",
             "that an undeclared vector is a voiceprint; other stores"),
        Rule("COPPA", "312.4", "notice: third parties, purposes, retention, use of audio",
             "that the notice is clear or complete"),
        Rule("COPPA", "312.5(a)(1)", "verifiable parental consent before any collection",
             "that a real parent consented"),
        Rule("COPPA", "312.5(a)(2)", "consent to disclosure apart from consent to collection",
             "what a vendor does with it"),
        Rule("COPPA", "312.5(c)(9)", "audio is deleted immediately after it served the request",
             "copies at vendors, embeddings"),
        Rule("COPPA", "312.6", "a parent, and only the parent, can review, refuse and delete",
             "the identity of the parent"),
        Rule("COPPA", "312.7", "no more data than reasonably necessary to take part", "what is reasonable"),
        Rule("COPPA", "312.8", "confidentiality, security, testing of safeguards",
             "the written programme"),
        Rule("COPPA", "312.10", "data are not kept indefinitely; a written policy", "backups"),
        Rule("GDPR", "Art. 5(1)(f)", "integrity and confidentiality", "organisational measures"),
        Rule("GDPR", "Art. 7", "consent, and its withdrawal as easy as giving it", "that it was informed"),
        Rule("GDPR", "Art. 8", "a child's consent comes from who has parental responsibility",
             "who that is"),
        Rule("GDPR", "Art. 15", "access: a copy of the data", "data outside the probed stores"),
        Rule("GDPR", "Art. 17", "erasure", "backups, vendors, logs we cannot read"),
        Rule("GDPR", "Art. 20", "machine-readable export of what was provided, all of it",
             "data outside the probed paths"),
        Rule("GDPR", "Art. 25", "data protection by design and by default", "the design process"),
        Rule("GDPR", "Art. 32", "security of processing", "organisational measures"),
        Rule("UK code", "7", "high privacy by default", "that the defaults are understood"),
        Rule("UK code", "8", "data minimisation", "what is necessary"),
        Rule("UK code", "10", "geolocation off by default", "other channels"),
        Rule("UK code", "15", "tools to exercise rights exist and answer", "that children find them"),
        Rule("OWASP", "API1", "broken object level authorization", "objects that the file does not name"),
        Rule("OWASP", "API2", "broken authentication", "how credentials are kept by people"),
        Rule("OWASP", "API3", "broken object property level authorization", "properties nobody tried"),
        Rule("OWASP", "API4", "unrestricted resource consumption", "costs at vendors"),
        Rule("OWASP", "API5", "broken function level authorization", "functions that the file does not name"),
        Rule("OWASP", "API8", "security misconfiguration", "what is not reachable from here"),
    )
}  # fmt: skip
"""Every rule, by its name."""

MAPPING: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("isolation.", ("COPPA 312.8", "GDPR Art. 5(1)(f)", "GDPR Art. 32", "OWASP API1", "OWASP API5")),
    ("crowd.", ("COPPA 312.8", "GDPR Art. 5(1)(f)", "GDPR Art. 32", "OWASP API1")),
    ("sessions.mass_assignment", ("OWASP API3", "COPPA 312.5(a)(1)")),
    ("sessions.excessive", ("OWASP API3", "COPPA 312.7", "UK code 8")),
    ("sessions.functions", ("OWASP API5", "COPPA 312.8")),
    ("sessions.", ("OWASP API2", "COPPA 312.8", "GDPR Art. 32")),
    ("consent.third_parties", ("COPPA 312.5(a)(2)",)),
    ("consent.", ("COPPA 312.5(a)(1)", "GDPR Art. 7", "GDPR Art. 8")),
    ("deletion.export", ("COPPA 312.6", "GDPR Art. 15", "GDPR Art. 20", "UK code 15")),
    ("deletion.", ("COPPA 312.6", "GDPR Art. 17", "UK code 15")),
    ("retention.personal", ("COPPA 312.2", "COPPA 312.7", "GDPR Art. 25")),
    ("retention.location", ("UK code 10", "COPPA 312.2")),
    ("retention.minimal", ("COPPA 312.7", "UK code 8", "UK code 7", "GDPR Art. 25")),
    ("retention.", ("COPPA 312.10",)),
    ("transport.", ("COPPA 312.8", "GDPR Art. 32", "OWASP API8")),
    ("audio.", ("COPPA 312.5(c)(9)",)),
    ("parties.notice", ("COPPA 312.4",)),
    ("parties.", ("COPPA 312.5(a)(2)", "COPPA 312.4")),
    ("quotas.", ("OWASP API4",)),
)
"""Which rules the checks of a name speak to; the first beginning that fits counts."""


def rules_of(check: str) -> tuple[str, ...]:
    """The names of the rules that a check speaks to."""
    return next((names for begins, names in MAPPING if check.startswith(begins)), ())


@dataclass(slots=True)
class Row:
    """How the probes of one rule came out."""

    rule: Rule
    passed: int = 0
    failed: int = 0
    not_tested: int = 0
    checks: list[str] = field(default_factory=list)


def table(findings: Iterable[Finding]) -> list[Row]:
    """A row per rule, in the order of the rules, also of those that no probe speaks to here. Pure."""
    rows = {name: Row(rule) for name, rule in RULES.items()}
    for finding in findings:
        for name in rules_of(finding.check):
            _count(rows[name], finding)
    return list(rows.values())


def _count(row: Row, finding: Finding) -> None:
    if finding.outcome in {Outcome.PASSED, Outcome.WARNED}:
        row.passed += 1
    elif finding.outcome is Outcome.FAILED:
        row.failed += 1
        row.checks.append(finding.check)
    elif finding.outcome is Outcome.INCONCLUSIVE:
        row.not_tested += 1


def sentence(rows: Iterable[Row], book: str) -> str:
    """What may be said of a book: `31 of 40 COPPA-mapped probes passed, 2 failed, 7 not tested`."""
    mine = [row for row in rows if row.rule.book == book]
    passed, failed, not_tested = (
        sum(getattr(row, name) for row in mine) for name in ("passed", "failed", "not_tested")
    )
    whole = passed + failed + not_tested
    return f"{passed} of {whole} {book}-mapped probes passed, {failed} failed, {not_tested} not tested"
