"""Whether ids can be foreseen: a few are made, and looked at."""

from __future__ import annotations

from phases.safety.asking import NotTestedError, fresh, must, pretending
from phases.safety.probe import Answered, Probe
from phases.safety.scene import Scene
from phases.safety.sessions.entropy import bits_of, is_counted, repeated
from phases.safety.sessions.plan import IDS, SECTIONS, check_of
from phases.safety.sessions.settings import IdSource
from phases.safety.sessions.tokens import read_token

REMEDY = "Make ids and tokens from a random source for cryptography, with 96 bits or more."


async def foreseeable(scene: Scene, name: str, source: IdSource) -> Probe:
    """How many bits of `name` change in a way that nobody can foresee."""
    who = await fresh(scene, source.role)
    values: list[str] = []
    for _ in range(source.count):
        if scene.stopping:
            raise NotTestedError("the run was stopped")
        again = pretending(who, {name: None})
        await must(again, source.make)
        values.append(_text(again.scope.values.get(name), name))
    if all(read_token(each) for each in values):
        said = f"{name} is a signed token: its key protects it, not chance (see weak_secret)"
        return Probe(check_of(IDS, name), SECTIONS[IDS][1], Answered.NOT_APPLICABLE, said)
    return judged(name, values, bits=source.bits)


def judged(name: str, values: list[str], *, bits: int) -> Probe:
    """What these values say."""
    found = bits_of(values)
    said = f"{len(values)} values of {name} changed in {found:.0f} bits ({bits} wanted)"
    good = found >= bits
    if same := repeated(values):
        good, said = False, f"{name} had the same value {same + 1} times among {len(values)}"
    elif is_counted(values):
        good, said = False, f"{name} is counted up: who has one of {len(values)} has the others"
    answered = Answered.PASSED if good else Answered.FAILED
    return Probe(check_of(IDS, name), SECTIONS[IDS][1], answered, said, "" if good else REMEDY)


def _text(value: object, name: str) -> str:
    if not isinstance(value, (str, int)) or isinstance(value, bool) or value == "":
        raise NotTestedError(f"no value {name!r} was saved by what makes it (sessions.ids.{name}.make)")
    return str(value)
