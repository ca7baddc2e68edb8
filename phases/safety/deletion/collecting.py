"""One word per path of collection, and whether each comes in the export."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from campaign.clock import SECOND
from campaign.errors import CampaignError
from campaign.records import Severity
from phases.safety.cast.principal import Principal
from phases.safety.deletion.people import TOO_MANY, TRIES, deleter, export_of, shown, views
from phases.safety.held import held
from phases.safety.probe import Answered, Probe
from phases.safety.scene import Scene

EXPORT = "deletion.export"
AGAIN = 0.2
LEFT_OUT = (
    "Give the export every table, key and file that holds a child's data; make it from the same list that "
    "the deletion goes by."
)


@dataclass(slots=True)
class Told:
    """What a child said by each operation: its word, the exchange, and why it went wrong, if it did."""

    words: dict[str, str] = field(default_factory=dict)
    exchanges: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    @property
    def accepted(self) -> tuple[str, ...]:
        """The words that the target took."""
        return tuple(word for name, word in self.words.items() if name not in self.refused)


async def tell(scene: Scene, child: Principal) -> Told:
    """Say a word of its own by each path of collection. Raises CampaignError."""
    told = Told()
    for operation in scene.settings.deletion.collect:
        scope = child.another_word()
        for _ in range(TRIES):
            heard = await child.do(operation, scope=scope)
            if heard.status != TOO_MANY:
                break
            await asyncio.sleep(AGAIN)
        told.words[operation], told.exchanges[operation] = scope.canary, heard.id
        if not heard.ok:
            told.refused[operation] = f"{operation} did not go well: {heard.why} [{heard.id}]"
    return told


async def stored_of(scene: Scene, child: Principal, words: tuple[str, ...]) -> set[str]:
    """Those of the words that are in the database, or that some reading operation shows."""
    found: set[str] = set()
    if scene.server is not None:
        now = await held(scene.server, child.canary)
        found = {word for counter in now.tables.values() for word in counter}
    for view in views(scene, child):
        try:
            found.update(shown(await view.look(child), words))
        except CampaignError:  # what it needs was never saved: others may see
            continue
    return found & set(words)


async def exported(scene: Scene, child: Principal, told: Told) -> list[Probe]:
    """A probe per path of collection: whether what was told by it comes in the export in time."""
    if not scene.settings.deletion.export:
        return []
    clock = scene.context.clock
    until = clock.now_ns() + round(scene.settings.deletion.visible * SECOND)
    while True:
        heard = await export_of(scene, deleter(child))
        assert heard is not None  # noqa: S101 - it was asked above whether there is one
        seen = set(shown(heard, told.accepted))
        if seen >= set(told.accepted) or clock.now_ns() >= until or scene.stopping:
            break
        await clock.sleep_until(clock.now_ns() + round(AGAIN * SECOND))
    stored = await stored_of(scene, child, told.accepted)
    trouble = "" if heard.ok else f"the export did not go well: {heard.why} [{heard.id}]"
    return [_export(told, name, seen, stored, trouble=trouble, export=heard.id) for name in told.words]


def _export(told: Told, name: str, seen: set[str], stored: set[str], *, trouble: str, export: str) -> Probe:
    check, severity, word = f"{EXPORT}.{name}", Severity.CRITICAL, told.words[name]
    ids = (export, told.exchanges[name])
    if why := told.refused.get(name) or ("" if word in seen else trouble):
        return Probe(check, severity, Answered.NOT_TESTED, why)
    if word in seen:
        return Probe(check, severity, Answered.PASSED, f"what {name} stored is in the export", "", ids)
    if word not in stored:
        said = f"what {name} sent was found nowhere, nor in the export; does it send {{{{ canary }}}}?"
        return Probe(check, severity, Answered.NOT_TESTED, said)
    said = f"what {name} stored is not in the export"
    return Probe(check, severity, Answered.FAILED, said, LEFT_OUT, ids)
