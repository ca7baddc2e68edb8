"""Which probes the settings ask for, how much each weighs, and why some would not be asked."""

from __future__ import annotations

from collections.abc import Iterator

from campaign.records import Severity
from phases.safety.probe import Planned
from phases.safety.sessions.settings import SessionsSettings, SignIn, Without

BLOCKER, CRITICAL, IMPORTANT = Severity.BLOCKER, Severity.CRITICAL, Severity.IMPORTANT

SIGN_IN: dict[str, Severity] = {
    "no_token": BLOCKER,
    "garbage": BLOCKER,
    "tampered_subject": BLOCKER,
    "alg_none": BLOCKER,
    "weak_secret": BLOCKER,
    "expired": CRITICAL,
    "refresh_reuse": CRITICAL,
    "after_logout": CRITICAL,
    "after_password_change": CRITICAL,
    "after_deletion": CRITICAL,
}
"""What is asked of each kind of sign-in."""

FIXATION, IDS, MASS, EXCESSIVE, FUNCTIONS, PAGES = (
    "fixation", "ids", "mass_assignment", "excessive", "functions", "page_size",
)  # fmt: skip

NEEDS: dict[str, tuple[Without, str]] = {
    "expired": ("expiry", "expired"),
    "refresh_reuse": ("refresh", "refresh"),
    "after_logout": ("logout", "logout"),
    "after_password_change": ("password", "change_password"),
    "after_deletion": ("deletion", "delete"),
}
"""What a probe cannot be without: the word in `lacks` that excuses it, and the key that maps it."""

SECTIONS = {
    FIXATION: ("fixation", CRITICAL),
    IDS: ("ids", CRITICAL),
    MASS: ("mass_assignment", BLOCKER),
    EXCESSIVE: ("excessive", IMPORTANT),
    FUNCTIONS: ("functions", BLOCKER),
    PAGES: ("page_size", IMPORTANT),
}
"""The other kinds of probes: the key that maps each, and its severity."""


def check_of(*words: str) -> str:
    """The name of a check."""
    return ".".join(("sessions", *words))


def planned(settings: SessionsSettings) -> Iterator[Planned]:
    """One probe per role and kind, and per operation of the others."""
    if not settings.sign_ins:
        for kind in SIGN_IN:
            yield Planned(
                check_of(kind), CRITICAL, "the campaign file says of no role how it is signed in (sign_ins)"
            )
    for role, sign_in in settings.sign_ins.items():
        for kind, severity in SIGN_IN.items():
            yield Planned(check_of(role, kind), severity, unmapped(sign_in, kind))
    for kind, (key, severity) in SECTIONS.items():
        names = list(_names(settings, kind))
        yield from (Planned(check_of(kind, name) if name else check_of(kind), severity) for name in names)
        if not names:
            yield Planned(check_of(kind), CRITICAL, f"the campaign file maps nothing to it (sessions.{key})")


def unmapped(sign_in: SignIn, kind: str) -> str:
    """Why a probe of a sign-in cannot be asked; "" where it can, or where there is no such thing."""
    if kind not in NEEDS or is_without(sign_in, kind):
        return ""
    key = NEEDS[kind][1]
    if kind == "after_password_change" and sign_in.change_password and not sign_in.login:
        key = "login"  # another sign-in, which must end
    return "" if getattr(sign_in, key) else f"the campaign file has no `{key}` for it"


def is_without(sign_in: SignIn, kind: str) -> bool:
    """Whether this kind of sign-in has no such thing, as the file says."""
    return kind in NEEDS and NEEDS[kind][0] in sign_in.lacks


def _names(settings: SessionsSettings, kind: str) -> Iterator[str]:
    if kind == FIXATION:
        yield from [""] if settings.fixation else []
    elif kind == FUNCTIONS:
        for role, forbidden in settings.functions.items():
            yield from (f"{role}.{operation}" for operation in forbidden.operations)
    else:
        yield from getattr(settings, kind)
