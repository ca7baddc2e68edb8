"""From a bearer token to the parent who holds it, with the rate limits that apply."""

from dataclasses import dataclass

from fastapi.concurrency import run_in_threadpool

from campaign.demo.accounts import Accounts
from campaign.demo.limits import RateLimit
from campaign.demo.now import now_ms
from campaign.demo.problems import NotSignedInError
from campaign.demo.shared_state import SharedState
from campaign.demo.tokens import digest

SCHEME = "bearer "


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking; `token_digest` names the token without being it."""

    parent_id: str
    token_digest: str


class SignIn:
    """Answers who is asking; the cache spares most requests a look into the database."""

    def __init__(
        self,
        accounts: Accounts,
        state: SharedState,
        *,
        per_parent: RateLimit,
        per_address: RateLimit,
        token_key: bytes = b"",
    ) -> None:
        self._accounts = accounts
        self._state = state
        self._per_parent = per_parent
        self._per_address = per_address
        self._token_key = token_key

    async def principal(self, authorization: str | None, *, address: str) -> Principal:
        """Who holds the token in this Authorization header.

        Raises NotSignedInError where there is none or it is not valid, and TooManyRequestsError.
        """
        if authorization is None or not authorization.lower().startswith(SCHEME):
            await self._per_address.take(address)
            raise NotSignedInError("send an access token in the Authorization header")
        token_digest = digest(authorization[len(SCHEME) :].strip(), self._token_key)
        parent_id = await self._parent_of(token_digest)
        if parent_id is None:
            await self._per_address.take(address)
            raise NotSignedInError("the access token is not valid")
        await self._per_parent.take(parent_id)
        return Principal(parent_id, token_digest)

    async def stranger(self, address: str) -> None:
        """Count a request that needs no token; raises TooManyRequestsError."""
        await self._per_address.take(address)

    async def forget(self, token_digests: tuple[str, ...]) -> None:
        """Refuse these tokens from now on; the database has already deleted them."""
        await self._state.revoke(token_digests)

    async def _parent_of(self, token_digest: str) -> str | None:
        if (known := await self._state.cached(token_digest)) is not None:
            return known.parent_id
        holder = await run_in_threadpool(self._accounts.holder, token_digest)
        if holder is None:
            return None
        seconds = (holder.expires_at_ms - now_ms()) / 1000
        await self._state.cache(token_digest, holder.parent_id, seconds=seconds)
        return holder.parent_id
