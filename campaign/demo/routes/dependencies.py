"""What routes ask FastAPI for: the services, and who is calling."""

from typing import Annotated, cast

from fastapi import Depends, Security
from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase
from starlette.requests import HTTPConnection

from campaign.demo.services import Services
from campaign.demo.sign_in import Principal


async def services_of(connection: HTTPConnection) -> Services:
    """The services of the application that received this request."""
    return cast("Services", connection.app.state.services)


SESSION_COOKIE = "teddy_session"
"""What a browser that is signed in sends in place of a token; no other site can make it do so."""


def address_of(connection: HTTPConnection) -> str:
    """The caller's network address."""
    return connection.client.host if connection.client else "unknown"


class SignedIn(SecurityBase):
    """A dependency that yields the caller, and shows up in the OpenAPI document as a bearer token."""

    def __init__(self) -> None:
        self.model = HTTPBearer()
        self.scheme_name = "access token"

    async def __call__(self, connection: HTTPConnection) -> Principal:
        """Who is calling; raises NotSignedInError or TooManyRequestsError."""
        services = await services_of(connection)
        session = connection.cookies.get(SESSION_COOKIE)
        authorization = connection.headers.get("authorization") or (session and f"Bearer {session}")
        return await services.sign_in.principal(authorization, address=address_of(connection))


async def limited_stranger(connection: HTTPConnection) -> None:
    """Count a caller who needs no token; raises TooManyRequestsError."""
    services = await services_of(connection)
    await services.sign_in.stranger(address_of(connection))


Caller = Annotated[Principal, Security(SignedIn())]
Parts = Annotated[Services, Depends(services_of)]
