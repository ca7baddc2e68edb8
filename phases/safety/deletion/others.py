"""Other children, of the same family and of another, who must keep all that they have."""

from __future__ import annotations

from dataclasses import dataclass, field

from campaign.errors import CampaignError
from campaign.records import Severity
from phases.safety.cast.principal import Principal
from phases.safety.deletion.collecting import tell
from phases.safety.deletion.people import (
    FIRST_FAMILY,
    OTHER_FAMILY,
    deleter,
    export_of,
    fresh_child,
    shown,
    stranger,
    views,
)
from phases.safety.held import held
from phases.safety.probe import Answered, Probe
from phases.safety.scene import Scene

OTHERS = "deletion.others"
REMEDY = (
    "Delete by the child's own id alone, in one transaction; look for names, dates and families in WHERE."
)


@dataclass(slots=True)
class Neighbours:
    """The others, the words of each, and what was seen of them before: places and their words."""

    words: dict[str, tuple[str, ...]] = field(default_factory=dict)
    people: list[Principal] = field(default_factory=list)
    before: dict[str, dict[str, int]] = field(default_factory=dict)

    @property
    def all(self) -> tuple[str, ...]:
        """Every word of theirs."""
        return tuple(word for words in self.words.values() for word in words)

    def whose(self, word: str) -> str:
        """The name of the child whose word it is."""
        return next(name for name, words in self.words.items() if word in words)


async def neighbours(scene: Scene, parent: Principal | None) -> Neighbours:
    """So many children as the file asks for, half of them of another family. Raises CampaignError."""
    known = Neighbours()
    above = stranger(scene) if parent is not None else None
    for number in range(scene.settings.deletion.others):
        elsewhere = number % 2 and (above is not None or parent is None)
        family = OTHER_FAMILY if elsewhere else FIRST_FAMILY
        child = await fresh_child(scene, above if elsewhere else parent, family=family)
        told = await tell(scene, child)
        known.people.append(child)
        known.words[child.name] = (child.canary, *told.accepted)
    known.before = await _seen(scene, known)
    return known


async def kept(scene: Scene, known: Neighbours) -> Probe:
    """Whether all that was seen of the others is seen still."""
    try:
        after = await _seen(scene, known)
    except CampaignError as error:
        return Probe(OTHERS, Severity.BLOCKER, Answered.NOT_TESTED, str(error))
    lost = [
        (place, word)
        for place, words in known.before.items()
        for word, count in words.items()
        if after.get(place, {}).get(word, 0) < count
    ]
    owners = {owner for words in known.before.values() for owner in map(known.whose, words)}
    if len(owners) < len(known.people):
        unseen = len(known.people) - len(owners)
        said = f"of {unseen} of {len(known.people)} other children nothing was seen before either"
        return Probe(OTHERS, Severity.BLOCKER, Answered.NOT_TESTED, said)
    if lost:
        names = sorted({known.whose(word) for _, word in lost})
        where = ", ".join(sorted({place for place, _ in lost})[:5])
        said = (
            f"{len(names)} of {len(known.people)} other children lost something when one was deleted, "
            f"{names[0]} first, in {where}"
        )
        return Probe(OTHERS, Severity.BLOCKER, Answered.FAILED, said, REMEDY)
    said = f"{len(known.people)} other children kept all {len(set(known.all))} words of theirs"
    return Probe(OTHERS, Severity.BLOCKER, Answered.PASSED, said)


async def _seen(scene: Scene, known: Neighbours) -> dict[str, dict[str, int]]:
    """How often each word of theirs is in each table and in the exports, else where their reads show it."""
    seen: dict[str, dict[str, int]] = {}
    mine = set(known.all)
    if scene.server is not None:
        now = await held(scene.server, known.people[0].canary)
        for table, counter in now.tables.items():
            seen[f"table {table}"] = {word: count for word, count in counter.items() if word in mine}
    for parent in {id(each): each for each in map(deleter, known.people)}.values():
        heard = await export_of(scene, parent)
        if heard is not None:
            seen[f"the export of {parent.name}"] = dict.fromkeys(shown(heard, known.all), 1)
    if not any(seen.values()):
        seen["what is read of them"] = await _read(scene, known)
    return {place: words for place, words in seen.items() if words}


async def _read(scene: Scene, known: Neighbours) -> dict[str, int]:
    found: dict[str, int] = {}
    for child in known.people:
        for view in views(scene, child):
            try:
                heard = await view.look(child)
            except CampaignError:  # what it needs was never saved
                continue
            found |= dict.fromkeys(shown(heard, known.words[child.name]), 1)
    return found
