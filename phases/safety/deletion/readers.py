"""Who else was let look at the child: others than its parent, whom the deletion must reach too."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from campaign.errors import CampaignError
from phases.safety.cast.principal import Principal
from phases.safety.deletion.people import View, deleter, patiently, shown
from phases.safety.deletion.settings import DeletionReader
from phases.safety.scene import Scene


@dataclass(frozen=True, slots=True)
class Reader:
    """One role, by what somebody of it saw the child before it was deleted; `trouble` says why that is
    nothing.
    """

    role: str
    seeing: tuple[View, ...] = ()
    trouble: str = ""


async def readers(scene: Scene, child: Principal, words: tuple[str, ...]) -> tuple[Reader, ...]:
    """Every role of `readers`, let in and looking at the child."""
    named = scene.settings.deletion.readers
    return tuple([await _reader(scene, child, words, role=role, how=how) for role, how in named.items()])


async def _reader(
    scene: Scene, child: Principal, words: tuple[str, ...], *, role: str, how: DeletionReader
) -> Reader:
    who = next(iter(scene.cast.of(role)), None)
    if who is None:
        return Reader(role, trouble=f"nobody of the role {role!r} could be made")
    try:
        trouble = await _let_in(child, who, how)
    except CampaignError as error:
        trouble = str(error)
    if trouble:
        return Reader(role, trouble=trouble)
    views = [View(who, operation) for operation in how.reads or scene.settings.deletion.reads]
    seeing = await seeing_views(views, child, words)
    names = ", ".join(str(view) for view in views)
    return Reader(role, seeing, "" if seeing else f"the child's words were not shown before either: {names}")


async def _let_in(child: Principal, who: Principal, how: DeletionReader) -> str:
    """What its parent does to let the reader in, and then the reader; why it did not go well, or "".

    What these save (an invitation) is known to both from then on. Raises CampaignError.
    """
    for asking, operations in ((deleter(child), how.let), (who, how.join)):
        for operation in operations:
            scope = asking.aimed_at(child)
            heard = await patiently(asking, operation, scope=scope, save=True)
            if not heard.ok:
                return f"{operation} did not go well: {heard.why} [{heard.id}]"
            child.scope.values = {**scope.values, **child.scope.values}
    return ""


async def seeing_views(views: Iterable[View], child: Principal, words: tuple[str, ...]) -> tuple[View, ...]:
    """The views that show any of the words: those that show nothing now prove nothing later."""
    seeing = []
    for view in views:
        try:
            heard = await view.look(child)
        except CampaignError:  # what it needs was never saved
            continue
        if shown(heard, words):
            seeing.append(view)
    return tuple(seeing)
