"""Whether a token was taken for a good one."""

from __future__ import annotations

from phases.safety.asking import NotTestedError, ask
from phases.safety.cast.principal import Heard, Principal
from phases.safety.sessions.settings import SignIn


async def control(who: Principal, sign_in: SignIn) -> bool:
    """Whether the protected operation shows the canary of the one who may do it.

    Raises NotTestedError where it does not go well at all: then nothing that is refused says anything.
    """
    heard = await ask(who, sign_in.protected)
    if not heard.ok:
        raise NotTestedError(
            f"with its own token {who.name} cannot do {sign_in.protected} either: {heard.why} [{heard.id}]"
        )
    return heard.shows(who.canary)


def taken(heard: Heard, *canaries: str, shown: bool) -> bool:
    """Whether the token was taken for a good one. Where the owner is shown its canary, that decides."""
    return any(map(heard.shows, canaries)) if shown else heard.ok
