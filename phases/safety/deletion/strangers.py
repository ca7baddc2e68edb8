"""Who has no right to delete a child tries to: its parent looks afterwards, a status decides nothing."""

from __future__ import annotations

from collections.abc import Iterator

from campaign.errors import CampaignError
from campaign.records import Severity
from phases.safety.cast.principal import Principal
from phases.safety.cast.settings import ANONYMOUS
from phases.safety.deletion.people import TOO_MANY, View, own_token, patiently, shown, stranger, views
from phases.safety.probe import Answered, Probe
from phases.safety.scene import Scene

BY_OTHERS = "deletion.by_others"
FAMILY, NOBODY, CHILD = "another_family", "anonymous", "own_child"
REMEDY = "Look for the child together with the parent whose token it is; let only that parent delete."


async def tried_by_others(scene: Scene, child: Principal) -> list[Probe]:
    """A probe per attacker, each aimed at the child, which must still be there afterwards."""
    try:
        seeing = await _sight(scene, child)
    except CampaignError as error:
        seeing = str(error)
    return [await _attempt(scene, child, kind, who, seeing) for kind, who in _attackers(scene, child)]


def _attackers(scene: Scene, child: Principal) -> Iterator[tuple[str, Principal | None]]:
    yield FAMILY, stranger(scene)
    yield NOBODY, next(iter(scene.cast.of(ANONYMOUS)), None)
    if own_token(child):
        yield CHILD, child


async def _sight(scene: Scene, child: Principal) -> View | str:
    """By what the parent sees the child's canary; a text where it does not."""
    for view in views(scene, child):
        if shown(await view.look(child), (child.canary,)):
            return view
    return "its own parent does not see the child's canary by any of deletion.reads"


async def _attempt(
    scene: Scene, child: Principal, kind: str, who: Principal | None, seeing: View | str
) -> Probe:
    check, severity = f"{BY_OTHERS}.{kind}", Severity.BLOCKER
    if who is None:
        return Probe(
            check, severity, Answered.NOT_TESTED, "nobody of a second family could be made (families)"
        )
    if isinstance(seeing, str):
        return Probe(check, severity, Answered.NOT_TESTED, seeing)
    operation = scene.settings.deletion.delete
    assert operation is not None  # noqa: S101 - the part is not run without
    try:
        heard = await patiently(who, operation, child=child)
        after = await seeing.look(child)
    except CampaignError as error:
        return Probe(check, severity, Answered.NOT_TESTED, f"the request could not be made: {error}")
    ids = (heard.id, after.id)
    said = f"{who.name} asked to delete {child.name} and was answered {heard.status}"
    if not shown(after, (child.canary,)):
        lost = f"{said}: its parent sees it no more ({seeing}: {after.status})"
        return Probe(check, severity, Answered.FAILED, lost, REMEDY, ids)
    if heard.status is None or heard.status == TOO_MANY:
        return Probe(check, severity, Answered.NOT_TESTED, f"no answer settles it: {heard.why}", "", ids)
    return Probe(check, severity, Answered.PASSED, f"{said}: it is still there", "", ids)
