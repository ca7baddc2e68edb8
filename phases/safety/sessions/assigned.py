"""Fields that are nobody's to send, added to creates and updates: the owner reads back, and the database is
looked into, whatever was answered.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from sqlalchemy import String, cast, func, or_, select
from sqlalchemy.exc import SQLAlchemyError

from campaign.database.server import Server
from campaign.errors import CampaignError
from campaign.target.scope import RenderError, Scope
from campaign.target.template import compile_text
from phases.safety.asking import NotTestedError, ask, fresh
from phases.safety.cast.principal import Heard, Principal
from phases.safety.changes import fields_of, with_field
from phases.safety.probe import Answered, Probe
from phases.safety.scene import Scene
from phases.safety.sessions.plan import MASS, SECTIONS, check_of
from phases.safety.sessions.settings import Assigned
from phases.safety.stores import tables_of, texts_of

REMEDY = (
    "Name the fields that may be set, one by one, and take no others; take whose it is from the token alone."
)


async def assigned(scene: Scene, operation: str, settings: Assigned) -> Probe:
    """One field after the other, as a service may refuse one and take the next."""
    who, stranger = await fresh(scene, settings.role), await fresh(scene, settings.role)
    if fields_of(who.built(operation)) is None:
        raise NotTestedError(f"{operation} sends no JSON object, so there is nothing to add a field to")
    before = await _done(scene, who, operation, settings, field="", value=None)
    tried, ids = [], before.ids
    for field, value in _values(scene, stranger):
        after = await _done(scene, who, operation, settings, field=field, value=value)
        tried.append(field)
        if wrong := await _wrong(scene, before, after, field=field, value=value):
            sent = f"{operation} with {field}: {json.dumps(value)}"
            said = f"{sent} was answered {after.heard.status}, and {wrong}"
            return _probe(operation, Answered.FAILED, said, after.ids)
    if not tried:
        raise NotTestedError("no field could be added: what their templates name is known to nobody (fields)")
    said = f"{operation} took none of {', '.join(tried)}, as its owner saw with {settings.read}"
    return _probe(operation, Answered.PASSED, said, ids)


class _Done:
    """What came of the operation, and what its owner read afterwards, in which scope."""

    def __init__(self, heard: Heard, read: Heard | None, scope: Scope) -> None:
        self.heard, self.read, self.scope = heard, read, scope

    @property
    def ids(self) -> tuple[str, ...]:
        """The exchanges, the operation's first."""
        return (self.heard.id, self.read.id) if self.read else (self.heard.id,)


async def _done(
    scene: Scene, who: Principal, operation: str, settings: Assigned, *, field: str, value: Any
) -> _Done:
    """Do it with this field more, read back, and take away again what it made. Without a field it must go
    well, else NotTestedError.
    """
    scope = who.another_word()
    change = with_field(field, value) if field else None
    heard = await ask(who, operation, scope=scope, save=True, change=change)
    read = None
    with suppress(RenderError):  # where it was refused, nothing was made that could be read
        read = await ask(who, settings.read, scope=scope)
    if not field and not (heard.ok and read is not None and read.ok):
        why = f"{operation}: {heard.why}" if not heard.ok else f"{settings.read}: {read.why if read else ''}"
        raise NotTestedError(f"without any field more it did not go well either: {why} [{heard.id}]")
    if heard.ok:
        await _undo(scene, who, operation, settings, scope=scope)
    return _Done(heard, read, scope)


async def _undo(scene: Scene, who: Principal, operation: str, settings: Assigned, *, scope: Scope) -> None:
    """Take away an account that was made; what else is made goes with the account that it belongs to."""
    role = scene.settings.roles[settings.role]
    undo = scene.context.vocabulary.operations[operation].options.undo
    leaving = role.stop if operation in role.start and not role.of else ()
    for name in (undo,) if undo else leaving:
        heard = await ask(who, name, scope=scope)
        if not heard.ok:
            who.undone.append(f"{name}: {heard.why}")


def _values(scene: Scene, stranger: Principal) -> Iterator[tuple[str, Any]]:
    """The fields and their values; what a template names and the stranger does not know is left out."""
    for field, value in scene.settings.sessions.fields.items():
        if not isinstance(value, str):
            yield field, value
            continue
        try:
            yield field, compile_text(value).render(stranger.scope)
        except CampaignError:
            continue


async def _wrong(scene: Scene, before: _Done, after: _Done, *, field: str, value: Any) -> str:
    """What the owner, or the database, shows of the field afterwards; "" where it shows nothing of it."""
    if after.read is not None and not after.read.ok:
        seen = f"its owner does not see it any more ({after.read.status if after.read else 'it has no id'})"
        return f"{seen}{await _stored(scene, after, field, value)}"
    if after.read is not None and shown(after.read.body, field, value):
        if before.read is not None and shown(before.read.body, field, value):
            return ""  # it is so without our saying
        return f"its owner sees {field}: {json.dumps(value)} in {after.read.operation}"
    return (await _stored(scene, after, field, value)).removeprefix(", ")


def shown(body: bytes, field: str, value: Any) -> bool:
    """Whether a JSON answer has this field with this value, at any depth."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return any(
        name == field and found == value and type(found) is type(value) for name, found in pairs(document)
    )


def pairs(document: Any) -> Iterator[tuple[str, Any]]:
    """Every name in parsed JSON with its value, at any depth."""
    waiting = [document]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            yield from each.items()
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each


async def _stored(scene: Scene, after: _Done, field: str, value: Any) -> str:
    """Where the database has the field with our value beside the word that was sent; "" for nowhere."""
    if scene.server is None:
        return ""
    try:
        where = await asyncio.to_thread(_tables, scene.server, field, value, after.scope.canary)
    except SQLAlchemyError:
        return ""  # what cannot be read accuses nobody
    return f", {' and '.join(where)} in the database has it" if where else ""


def _tables(server: Server, field: str, value: Any, word: str) -> list[str]:
    """The columns of that name which hold the value in a row that holds the word. Blocks."""
    found = []
    for table in tables_of(server):
        if field not in table.c:
            continue
        column, texts = table.c[field], [cast(each, String).contains(word) for each in texts_of(table)]
        same = cast(column, String).in_(_written(value))
        with server.reading() as connection:
            rows = connection.execute(select(func.count()).select_from(table).where(same, or_(*texts)))
            if rows.scalar():
                found.append(f"{table.name}.{field}")
    return found


def _written(value: Any) -> list[str]:
    """How databases write it as a text."""
    return [str(value).lower(), str(int(value))] if isinstance(value, bool) else [str(value)]


def _probe(operation: str, answered: Answered, said: str, ids: tuple[str, ...]) -> Probe:
    failed = answered is Answered.FAILED
    check = check_of(MASS, operation)
    return Probe(check, SECTIONS[MASS][1], answered, said, REMEDY if failed else "", ids)
