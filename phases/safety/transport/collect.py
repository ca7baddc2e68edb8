"""Does what people do, as a fresh principal, and looks at the way there and at what it leaves behind."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from campaign.errors import CampaignError
from phases.safety.asking import NotTestedError, ask, fresh
from phases.safety.cast.principal import Heard, Principal
from phases.safety.probe import Answered, Probe
from phases.safety.scene import Scene
from phases.safety.transport import headers, traces, way
from phases.safety.transport.plan import PART, WEIGHTS, check_of, unmapped
from phases.safety.transport.provoked import errors
from phases.safety.transport.traces import Logs, in_clear_text

Asked = Callable[[], Awaitable[Probe]]


async def collect_transport(scene: Scene) -> None:
    """Every probe, each recorded before the next begins."""
    settings = scene.settings.transport
    files = Logs(settings.logs)
    who = await fresh(scene, settings.role or next(iter(scene.settings.roles), ""))
    answers = [heard for name in settings.operations if (heard := await _done(who, name))]
    probes = await way.without_tls(scene)
    excused = {each.check for each in probes}
    everything = _steps(scene, who, answers, files)
    steps = {kind: ask for kind, ask in everything.items() if not unmapped(settings, kind)}
    for place, (kind, asked) in enumerate(steps.items()):
        if scene.stopping:
            break
        if check_of(kind) in excused:
            continue
        scene.tell(f"transport: {kind.replace('_', ' ')}", place / len(steps))
        probes.append(await _contained(kind, asked))
        scene.record(PART, probes)
    scene.record(PART, probes, stored=await _stored(scene, who))


def _steps(scene: Scene, who: Principal, answers: list[Heard], files: Logs) -> dict[str, Asked]:
    """What asks each probe. Errors are provoked last, as they are logged too."""
    operations = scene.settings.transport.operations
    people = [who, *scene.cast.people]
    return {
        "tls_versions": lambda: way.tls_versions(scene),
        "certificate": lambda: way.certificate(scene),
        "redirect": lambda: way.redirect(scene),
        "hsts": lambda: _at_once(answers, lambda: way.hsts(scene, answers)),
        "cookies": lambda: _at_once(answers, lambda: headers.cookies(scene, answers)),
        "cors": lambda: headers.cors(scene, who, operations),
        "urls": lambda: _at_once(answers, lambda: traces.urls(scene, people)),
        "logs": lambda: traces.logs(scene, files, people=people, answers=answers),
        "errors": lambda: errors(who, operations),
    }


async def _at_once(answers: list[Heard], judge: Callable[[], Probe]) -> Probe:
    """What is judged by answers that are there already. Raises NotTestedError where none is."""
    if not answers:
        raise NotTestedError("none of transport.operations was answered")
    return judge()


async def _done(who: Principal, operation: str) -> Heard | None:
    try:
        return await ask(who, operation, save=True)
    except CampaignError:
        return None


async def _contained(kind: str, asked: Asked) -> Probe:
    try:
        return await asked()
    except CampaignError as error:
        return Probe(check_of(kind), WEIGHTS[kind], Answered.NOT_TESTED, str(error))


async def _stored(scene: Scene, who: Principal) -> str:
    try:
        return await in_clear_text(scene, who)
    except CampaignError as error:
        return f"the stores could not be looked into: {error}"
