"""The ledger held against what is there afterwards: through the API, and in the database itself."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from campaign.clock import SECOND, Clock
from campaign.database.address import Kind
from campaign.database.failure import failure_of
from campaign.database.server import Server
from campaign.errors import CampaignError
from campaign.ledger.book import Book, State
from campaign.ledger.comparison import compare
from campaign.target.spec import OperationSpec
from phases.failover.people import Person
from phases.failover.settings import Stored
from phases.failover.story import Readback
from phases.failover.writes import PREFIX, Writer

LOOKS, PAUSE_NS = 4, SECOND
"""What is acknowledged and not there yet is looked for so often: a service may store what it confirmed a
moment later.
"""

AT_ONCE = 4
MOST_LOOKED_UP = 5_000
MOST_PAGES = 400
EMPTY_PAGES = 3
"""So many pages on end without a write of ours, and there will be none."""

_HOLES = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)


class NotReadError(CampaignError):
    """The writes could not be looked for; the text says why."""

    slug = "failover-read-back"
    exit_code = 3


Look = Callable[[], Awaitable[Counter[int]]]


async def read_back(place: str, look: Look, *, book: Book, clock: Clock) -> Readback:
    """The ledger against what `look` finds, which is asked again while something is missing."""
    comparison = None
    for attempt in range(LOOKS):
        if attempt:
            await clock.sleep_until(clock.now_ns() + PAUSE_NS)
        try:
            comparison = compare(book, (await look()).elements())
        except NotReadError as error:  # whoever looks was patient already
            return Readback(place, None, str(error))
        if not comparison.lost.count:
            break
    return Readback(place, comparison)


def through_api(writer: Writer, specification: OperationSpec, *, book: Book) -> Look:
    """What looks for the writes by the operation that the campaign file names."""
    name, named = specification.name, _names_in(specification)
    if "write" in named:
        return lambda: _one_by_one(writer, name, book)
    if named & {"offset", "page"}:
        return lambda: _page_by_page(writer, name, book)
    return lambda: _at_once(writer, name, book)


def in_database(writer: Writer, server: Server, stored: Stored) -> Look:
    """What looks for the writes in the column that the campaign file names."""

    async def look() -> Counter[int]:
        for _ in range(LOOKS - 1):
            with suppress(NotReadError):
                return await asyncio.to_thread(_rows, writer, server, stored)
            await asyncio.sleep(PAUSE_NS / SECOND)
        return await asyncio.to_thread(_rows, writer, server, stored)

    return look


async def _one_by_one(writer: Writer, name: str, book: Book) -> Counter[int]:
    numbers = list(_tried(book))
    if len(numbers) > MOST_LOOKED_UP:
        raise NotReadError(f"{len(numbers):,} writes are too many to be looked up one by one with {name}")
    found: Counter[int] = Counter()
    gate = asyncio.Semaphore(AT_ONCE)

    async def look_up(number: int) -> None:
        async with gate:
            values = await _read(writer.person(number), name, write=writer.text(number))
            found[number] = writer.found_in(values)[number]

    async with asyncio.TaskGroup() as group:
        for number in numbers:
            group.create_task(look_up(number))
    return +found


async def _page_by_page(writer: Writer, name: str, book: Book) -> Counter[int]:
    found: Counter[int] = Counter()
    for person in _writers(writer, book):
        found += await _pages(writer, person, name)
    return found


async def _pages(writer: Writer, person: Person, name: str) -> Counter[int]:
    """Page after page, until some have nothing of ours; the next begins behind what this one showed."""
    found: Counter[int] = Counter()
    offset = empty = 0
    for page in range(MOST_PAGES):
        document = await _document(person, name, offset=offset, page=page)
        ours = writer.found_in(_texts(document))
        found += ours
        shown = _longest_list(document)
        offset += shown
        empty = 0 if ours else empty + 1
        if not shown or empty == EMPTY_PAGES:
            return found
    raise NotReadError(f"{name} has more than {MOST_PAGES} pages")


async def _at_once(writer: Writer, name: str, book: Book) -> Counter[int]:
    """One answer per user. It may be a page of several: what it does not show is not lost for that."""
    found: Counter[int] = Counter()
    for person in _writers(writer, book):
        found += writer.found_in(await _read(person, name))
    shown, all_of_them = len(found), book.count(State.ACKNOWLEDGED)
    if any(number not in found for number in _acknowledged(book)):
        raise NotReadError(
            f"{name} shows {shown:,} writes and {all_of_them:,} were acknowledged, but it may show a part "
            "only: its template names neither {{ write }} nor {{ offset }} nor {{ page }}"
        )
    return found


async def _read(person: Person, name: str, **values: Any) -> list[str]:
    return list(_texts(await _document(person, name, **values)))


async def _document(person: Person, name: str, **values: Any) -> Any:
    """What the operation answers, as data. Raises NotReadError."""
    done = await person.surely(name, values=values)
    if not done.ok:
        raise NotReadError(f"{name} could not be read: {done.said or done.ending.value}")
    try:
        return json.loads(done.body)
    except ValueError:
        return done.body.decode(errors="replace")


def _texts(document: Any) -> Iterator[str]:
    if isinstance(document, str):
        yield document
    elif isinstance(document, dict):
        for each in document.values():
            yield from _texts(each)
    elif isinstance(document, list):
        for each in document:
            yield from _texts(each)


def _longest_list(document: Any) -> int:
    """The length of the longest list in an answer: how many lines a page has."""
    if isinstance(document, dict):
        return max(map(_longest_list, document.values()), default=0)
    if isinstance(document, list):
        return max(len(document), *map(_longest_list, document)) if document else 0
    return 0


def _tried(book: Book) -> Iterator[int]:
    return (number for number, state in enumerate(book.states()) if state != State.UNTRIED)


def _acknowledged(book: Book) -> Iterator[int]:
    return (number for number, state in enumerate(book.states()) if state == State.ACKNOWLEDGED)


def _writers(writer: Writer, book: Book) -> list[Person]:
    """Those who wrote, each once."""
    return list({id(person): person for person in map(writer.person, _tried(book))}.values())


def _names_in(specification: OperationSpec) -> frozenset[str]:
    """The first names of the holes in an operation's template."""
    body = specification.body
    texts = [
        specification.path,
        *specification.query.values(),
        *specification.headers.values(),
        json.dumps(body.json, default=str),
        *body.form.values(),
        *(part.text for part in body.multipart),
        body.raw,
    ]
    holes = (hole for each in texts for hole in _HOLES.findall(each))
    return frozenset(re.split(r"\W", hole.strip(), maxsplit=1)[0] for hole in holes)


def _rows(writer: Writer, server: Server, stored: Stored) -> Counter[int]:
    """Blocks. Raises NotReadError."""
    server.engine.dispose()  # connections from before a fault are of no use
    quote = server.engine.dialect.identifier_preparer.quote
    table = ".".join(map(quote, stored.table.split(".")))
    kind = "CHAR" if server.kind is Kind.MYSQL else "TEXT"
    column = f"CAST({quote(stored.column)} AS {kind})"
    also = f" AND ({stored.where})" if stored.where else ""
    statement = f"SELECT {column} AS said FROM {table} WHERE {column} LIKE :like{also}"  # noqa: S608 - names of the campaign file, quoted
    try:
        with server.reading() as connection:
            said = connection.execute(text(statement), {"like": f"%{PREFIX}-{writer.mark}-%"})
            return writer.found_in(str(row[0]) for row in said)
    except (SQLAlchemyError, OSError) as error:
        raise NotReadError(
            f"{stored.table}.{stored.column} could not be read: {failure_of(error)}"
        ) from error
