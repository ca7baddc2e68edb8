"""What answers show: fields that nobody needs, and a list that is asked for as a whole."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from campaign.target.jsonpath import MISSING, compile_path
from phases.safety.asking import GOOD, NotTestedError, ask, one_of
from phases.safety.cast.principal import Heard
from phases.safety.changes import with_query
from phases.safety.probe import Answered, Probe
from phases.safety.scene import Scene
from phases.safety.sessions.assigned import pairs
from phases.safety.sessions.plan import EXCESSIVE, PAGES, SECTIONS, check_of
from phases.safety.sessions.settings import PageSize, Shown

NEVER = re.compile(
    r"(^|_)(password|passwd|pwd|passphrase|salt|secret|otp|ssn|private_key|reset_token|pin|cvv)(_|$)"
)
"""Names of fields that no answer shows to anybody."""

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
SERVER_ERROR = 500
REFUSED = (400, 413, 414, 416, 422)


async def excessive(scene: Scene, operation: str, settings: Shown) -> Probe:
    """The fields of an answer against those that the role may see."""
    who = one_of(scene, settings.role)
    heard = await ask(who, operation)
    if not heard.ok:
        raise NotTestedError(f"{who.name} cannot do {operation}: {heard.why} [{heard.id}]")
    names = {name for name, _ in pairs(_document(heard))}
    wrong = too_much(names, settings.fields)
    said = f"{operation} shows {who.role} {len(names)} fields, and none that it should not"
    if wrong:
        said = f"{operation} shows {who.role} {', '.join(wrong[:8])}"
    remedy = "Name what an answer shows, for each role, in place of whatever the row has." if wrong else ""
    answered = Answered.FAILED if wrong else Answered.PASSED
    return Probe(check_of(EXCESSIVE, operation), SECTIONS[EXCESSIVE][1], answered, said, remedy, (heard.id,))


def too_much(names: Iterable[str], allowed: Iterable[str]) -> list[str]:
    """The names that are secrets, or that are not among those that are allowed, where any are named."""
    known = set(allowed)
    return sorted(
        name for name in names if (known and name not in known) or NEVER.search(_HUMP.sub("_", name).lower())
    )


async def page_size(scene: Scene, operation: str, settings: PageSize) -> Probe:
    """A list, all of it at once."""
    who = one_of(scene, settings.role)
    usual = await ask(who, operation)
    if not usual.ok:
        raise NotTestedError(f"{who.name} cannot do {operation}: {usual.why} [{usual.id}]")
    _count(usual, settings.items)
    heard = await ask(who, operation, change=with_query(settings.parameter, str(settings.value)))
    asked = f"{operation} with {settings.parameter}={settings.value}"
    good, said = _page(heard, settings)
    remedy = "" if good else "Limit what one request may ask for, and refuse more."
    answered = Answered.PASSED if good else Answered.FAILED
    check = check_of(PAGES, operation)
    return Probe(check, SECTIONS[PAGES][1], answered, f"{asked} {said}", remedy, (heard.id,))


def _page(heard: Heard, settings: PageSize) -> tuple[bool, str]:
    """Whether the answer to so large a page is a good one, and what it was."""
    if heard.status in REFUSED:
        return True, f"was refused ({heard.status})"
    if heard.status is not None and heard.status >= SERVER_ERROR:
        return False, f"made the service fail ({heard.status})"
    if heard.status not in GOOD:
        raise NotTestedError(f"it was answered {heard.status}, which settles nothing [{heard.id}]")
    count = _count(heard, settings.items)
    if count > settings.most:
        return False, f"gave {count:,} items at once ({settings.most:,} allowed)"
    if count < settings.most:
        raise NotTestedError(
            f"there are {count:,} items only; with more than {settings.most:,} it would be seen whether that "
            f"is kept to [{heard.id}]"
        )
    return True, f"gave {count:,} items, and no more"


def _count(heard: Heard, path: str) -> int:
    found = compile_path(path)(_document(heard))
    if found is MISSING or not isinstance(found, list):
        raise NotTestedError(f"the answer has no list {path} [{heard.id}]")
    return len(found)


def _document(heard: Heard) -> Any:
    try:
        return json.loads(heard.body)
    except (ValueError, RecursionError) as error:
        raise NotTestedError(f"the answer of {heard.operation} is not JSON [{heard.id}]") from error
