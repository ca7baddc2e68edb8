"""Collects from a child by every path, exports, deletes, and looks for what is left."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial

from campaign.records import Measurement, Severity
from phases.safety.cast.principal import Heard, Principal
from phases.safety.deletion.afterwards import Confided, confide, remembered
from phases.safety.deletion.collecting import Told, exported, tell
from phases.safety.deletion.erasure import (
    DATABASE,
    LOGS,
    READS,
    REDIS,
    Erased,
    Look,
    Looking,
    in_database,
    in_log_files,
    in_reads,
    in_redis,
    watched,
)
from phases.safety.deletion.others import OTHERS, kept, neighbours
from phases.safety.deletion.people import (
    View,
    deleter,
    fresh_child,
    fresh_parent,
    ids_of,
    patiently,
    views,
)
from phases.safety.deletion.plan import ERASED
from phases.safety.deletion.race import Leftovers, resurrection
from phases.safety.deletion.readers import Reader, readers, seeing_views
from phases.safety.deletion.strangers import tried_by_others
from phases.safety.probe import Answered, Probe
from phases.safety.scene import Scene

PART = "deletion"
REMEDY = (
    "Delete from one list of all places that hold a child's data: tables (foreign keys that cascade), keys, "
    "files, caches, what the assistant remembers."
)


@dataclass(slots=True)
class Book:
    """What was found out so far; every addition is on disk at once."""

    scene: Scene
    probes: list[Probe] = field(default_factory=list)
    times: dict[str, float | None] = field(default_factory=dict)

    def add(self, *probes: Probe) -> None:
        """Keep these too."""
        self.probes += probes
        self.scene.record(PART, self.probes, times=self.times)


NOWHERE = Look()


@dataclass(frozen=True, slots=True)
class Subject:
    """The child that is deleted: what it said, by what it was seen, who else saw it, where it was stored."""

    child: Principal
    told: Told
    confided: Confided | None
    seeing: tuple[View, ...]
    readers: tuple[Reader, ...] = ()
    before: Look = NOWHERE
    in_redis: Look = NOWHERE

    @property
    def words(self) -> tuple[str, ...]:
        """All that must be gone."""
        secret = (self.confided.secret,) if self.confided else ()
        return (self.child.canary, *self.told.words.values(), *secret)


async def collect_deletion(scene: Scene) -> None:
    """All probes of the part, one after the other."""
    book = Book(scene)
    scene.tell("deletion: a family and its neighbours")
    parent = await fresh_parent(scene)
    known = await neighbours(scene, parent)
    book.add(*await tried_by_others(scene, known.people[0]))
    scene.tell("deletion: export", 0.3)
    subject = await _subject(scene, book, parent)
    if scene.stopping:
        return
    scene.tell("deletion: what is left", 0.4)
    leftovers = await _deleted(scene, book, subject)
    if leftovers is None:
        return
    book.add(*await remembered(scene, subject.child, subject.told.accepted, subject.confided))
    book.add(await kept(scene, known))
    if scene.settings.deletion.race and not scene.stopping:
        book.add(await _raced(scene, parent, leftovers))


async def _raced(scene: Scene, parent: Principal | None, leftovers: Leftovers) -> Probe:
    if scene.server is None:
        why = "the target's database cannot be looked into (target.database)"
        return Probe("deletion.resurrection", Severity.BLOCKER, Answered.NOT_TESTED, why)
    return await resurrection(scene, parent, leftovers)


async def _subject(scene: Scene, book: Book, parent: Principal | None) -> Subject:
    """A child that has said something by every path, and what is seen of it. Raises CampaignError."""
    child = await fresh_child(scene, parent)
    told = await tell(scene, child)
    confided = await confide(scene, child)
    exports = await exported(scene, child, told)
    book.add(*exports)
    tested = [each for each in exports if each.answered is not Answered.NOT_TESTED]
    if tested:
        share = sum(each.answered is Answered.PASSED for each in tested) / len(tested)
        scene.context.record.measurement(
            Measurement.exact("deletion.recall", share, unit="share", count=len(tested))
        )
    words = (child.canary, *told.accepted)
    seeing = await seeing_views(views(scene, child), child, words)
    subject = Subject(child, told, confided, seeing, await readers(scene, child, words))
    if scene.redis:
        subject = replace(subject, in_redis=await in_redis(scene, subject.words))
    if scene.server is None:
        return subject
    return replace(subject, before=await in_database(scene, child, subject.words))


async def _deleted(scene: Scene, book: Book, subject: Subject) -> Leftovers | None:
    """Delete it, look until it is gone, and say what it left; None where the deletion did not go well."""
    operation = scene.settings.deletion.delete
    assert operation is not None  # noqa: S101 - the part is not run without
    child = subject.child
    ids = ids_of(scene, child)
    heard = await patiently(deleter(child), operation, child=child)
    if not heard.ok:
        why = f"{operation} did not go well: {heard.why} [{heard.id}]"
        checks = [_check(store) for store in _places(scene, subject)]
        book.add(*(Probe(each, Severity.BLOCKER, Answered.NOT_TESTED, why) for each in (*checks, OTHERS)))
        return None
    erased = await watched(scene, _places(scene, subject), since=heard.ended)
    for store, each in erased.items():
        scene.context.record.measurement(each.measurement(store))
        book.times[store] = each.gone
    if scene.server is None:
        book.add(_no_database())
    book.add(*(_probe(scene, store, each, subject, heard) for store, each in erased.items()))
    if scene.server is None:
        return Leftovers()
    left = await in_database(scene, child, (*subject.words, *ids))
    return Leftovers(left.tables)


def _no_database() -> Probe:
    why = "the target's database cannot be looked into (target.database)"
    return Probe(f"{ERASED}.{DATABASE}", Severity.BLOCKER, Answered.NOT_TESTED, why)


def _places(scene: Scene, subject: Subject) -> dict[str, Looking]:
    """Where to look, by the name of the store."""
    child, words = subject.child, subject.words
    places: dict[str, Looking] = {}
    if scene.settings.deletion.reads:
        places[READS] = partial(in_reads, scene, child, words, seeing=subject.seeing, export=True)
    for reader in subject.readers:
        look = partial(in_reads, scene, child, words, seeing=reader.seeing, export=False)
        places[f"{READS}.{reader.role}"] = look
    if scene.server is not None:
        places[DATABASE] = partial(in_database, scene, child, words)
    if scene.redis:
        places[REDIS] = partial(in_redis, scene, words)
    if scene.settings.deletion.logs:
        places[LOGS] = partial(in_log_files, scene, words)
    return places


TITLES = {
    DATABASE: "every table of the database",
    REDIS: "every key of Redis",
    LOGS: "the log files",
    READS: "what is read of the child",
}


def _title(store: str) -> str:
    return TITLES.get(store) or f"what {store.removeprefix(READS + '.')} reads of the child"


def _check(store: str) -> str:
    """The check of a store, or of those who look."""
    return f"deletion.{store}" if store.startswith(READS) else f"{ERASED}.{store}"


def _probe(scene: Scene, store: str, erased: Erased, subject: Subject, deleted: Heard) -> Probe:
    check = _check(store)
    look, within = erased.look, scene.settings.deletion.within
    ids = (deleted.id, *look.exchanges)
    if look.still:
        said = (
            f"{within:g} s after the deletion was answered ({deleted.status}), the child's words are in "
            f"{look.still}"
        )
        return Probe(check, Severity.BLOCKER, Answered.FAILED, said, REMEDY, ids)
    if why := look.unsettled or _no_control(store, subject):
        return Probe(check, Severity.BLOCKER, Answered.NOT_TESTED, why, "", ids)
    was = ", ".join(_was(store, subject))
    seen = f", {look.seen}" if look.seen else ""
    said = (
        f"nothing of the child is left in {_title(store)}{seen}, {erased.gone or 0:.2f} s after the deletion "
        f"was answered{was}"
    )
    return Probe(check, Severity.BLOCKER, Answered.PASSED, said, "", ids)


def _no_control(store: str, subject: Subject) -> str:
    """Why finding nothing proves nothing: it was not found before either."""
    if store == DATABASE and not subject.before.still:
        return "the child's words were in no table before it was deleted either"
    if store == READS and not subject.seeing:
        return "nothing of deletion.reads showed the child's words before it was deleted either"
    return next((each.trouble for each in subject.readers if store == f"{READS}.{each.role}"), "")


def _was(store: str, subject: Subject) -> Iterator[str]:
    if store == DATABASE:
        yield f"; before, it was in {subject.before.still}"
    if store == REDIS:
        yield f"; before, it was in {subject.in_redis.still or 'none either'}"
    seeing = {f"{READS}.{each.role}": each.seeing for each in subject.readers} | {READS: subject.seeing}
    if store in seeing:
        yield f"; before, it was shown by {', '.join(map(str, seeing[store][:8]))}"
