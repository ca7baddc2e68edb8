"""No token, what is no token, and tokens that were changed without the key."""

from __future__ import annotations

from collections.abc import Iterable

from phases.safety.asking import NotTestedError, ask, nobody, one_of, pretending
from phases.safety.cast.principal import Principal
from phases.safety.probe import Answered, Probe
from phases.safety.scene import Scene
from phases.safety.sessions.plan import SIGN_IN, check_of
from phases.safety.sessions.settings import SignIn
from phases.safety.sessions.taken import control, taken
from phases.safety.sessions.tokens import Signed, broken, read_token, unsigned, weak_key, with_claims_of

OPAQUE = "its token is not a signed one, so there is nothing to change in it"
REMEDY = (
    "Verify every token before anything in it is believed: with an algorithm that the service fixes itself, "
    "a key of 256 random bits, and a library that is kept up to date."
)


async def no_token(scene: Scene, role: str, sign_in: SignIn) -> Probe:
    """Without any credentials."""
    owner = one_of(scene, role)
    shown = await control(owner, sign_in)
    anonymous, scope = nobody(scene, owner)
    heard = await ask(anonymous, sign_in.protected, scope=scope)
    through = taken(heard, owner.canary, shown=shown)
    said = f"{sign_in.protected} without a token was {'answered' if through else 'refused'} ({heard.status})"
    return _probe(role, "no_token", through, said, (heard.id,))


async def garbage(scene: Scene, role: str, sign_in: SignIn) -> Probe:
    """With what is no token."""
    owner = one_of(scene, role)
    return await _try(
        scene, role, "garbage", sign_in=sign_in, victim=owner, tokens=broken(_own(owner, sign_in))
    )


async def tampered_subject(scene: Scene, role: str, sign_in: SignIn) -> Probe:
    """What another's token claims, under our own signature."""
    own, other = _signed(scene, role, sign_in, "A"), _signed(scene, role, sign_in, "B")
    if own is None or other is None:
        return _not_applicable(role, "tampered_subject")
    victim = one_of(scene, role, "B")
    tokens = [("another's claims under its own signature", with_claims_of(own, other))]
    return await _try(scene, role, "tampered_subject", sign_in=sign_in, victim=victim, tokens=tokens)


async def alg_none(scene: Scene, role: str, sign_in: SignIn) -> Probe:
    """Claims without a signature, and a header that says so."""
    victim = one_of(scene, role)
    signed = read_token(_own(victim, sign_in))
    if signed is None:
        return _not_applicable(role, "alg_none")
    tokens = [(f"alg {name}", each) for name, each in zip(_NAMES, unsigned(signed), strict=False)]
    return await _try(scene, role, "alg_none", sign_in=sign_in, victim=victim, tokens=tokens)


_NAMES = ("none", "None", "NONE", "nOnE")


async def weak_secret(scene: Scene, role: str, sign_in: SignIn) -> Probe:
    """Whether the key is one that everybody tries first; found here, without a request."""
    signed = read_token(_own(one_of(scene, role), sign_in))
    if signed is None:
        return _not_applicable(role, "weak_secret")
    if not signed.algorithm.startswith("HS"):
        return _not_applicable(role, "weak_secret", f"it is signed with {signed.algorithm}, not a shared key")
    key = weak_key(signed)
    said = f"the key of {role}'s token is none of those that everybody tries first"
    if key is not None:
        said = f"the key that {role}'s token is signed with is {key!r}: whoever tries it is whoever it likes"
    return _probe(role, "weak_secret", key is not None, said, ())


def _own(who: Principal, sign_in: SignIn) -> str:
    token = who.scope.values.get(sign_in.token)
    if not isinstance(token, str) or not token:
        raise NotTestedError(f"{who.name} has no value {sign_in.token!r} (sessions.sign_ins.token)")
    return token


def _signed(scene: Scene, role: str, sign_in: SignIn, family: str) -> Signed | None:
    return read_token(_own(one_of(scene, role, family), sign_in))


async def _try(
    scene: Scene,
    role: str,
    kind: str,
    *,
    sign_in: SignIn,
    victim: Principal,
    tokens: Iterable[tuple[str, str]],
) -> Probe:
    """Ask with each of them for what the victim has; none may be taken for a good token."""
    owner = one_of(scene, role)
    shown = await control(victim, sign_in)
    names, refused = [], []
    for name, token in tokens:
        heard = await ask(
            pretending(victim, {sign_in.token: token}, name=f"somebody with {name}"), sign_in.protected
        )
        if taken(heard, victim.canary, owner.canary, shown=shown):
            whose = f", as {victim.name}" if heard.shows(victim.canary) else ""
            said = f"{sign_in.protected} was answered to a token with {name} ({heard.status}{whose})"
            return _probe(role, kind, True, said, (heard.id,))
        names.append(name)
        refused.append(heard.id)
    said = f"{sign_in.protected} was refused to all of these: {', '.join(names)}"
    return _probe(role, kind, False, said, tuple(refused[:1]))


def _probe(role: str, kind: str, through: bool, said: str, ids: tuple[str, ...]) -> Probe:  # noqa: FBT001
    answered = Answered.FAILED if through else Answered.PASSED
    return Probe(check_of(role, kind), SIGN_IN[kind], answered, said, REMEDY if through else "", ids)


def _not_applicable(role: str, kind: str, why: str = OPAQUE) -> Probe:
    return Probe(check_of(role, kind), SIGN_IN[kind], Answered.NOT_APPLICABLE, f"{role}: {why}")
