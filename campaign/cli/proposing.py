"""The routes of a document that a user names: a file, or an URL that the guard lets us ask."""

from __future__ import annotations

from pathlib import Path

from campaign.errors import ConfigurationError
from campaign.openapi.document import Route, read_file, read_routes
from campaign.runner.api import run_loop
from campaign.target.guard import Guard
from campaign.target.http import ControlClient
from campaign.target.origin import split_url
from campaign.target.spec import OptionsSpec, TargetSpec

OK = 200


def routes_of(document: str) -> tuple[Route, ...]:
    """The routes. Raises ConfigurationError, RefusedError, TargetUnreachableError."""
    if "://" not in document:
        return read_file(Path(document))
    return read_routes(run_loop(_fetched(document)), source=document)


async def _fetched(url: str) -> str:
    origin, path = split_url(url)
    target = TargetSpec(str(origin))
    async with ControlClient(target, Guard(), options=OptionsSpec(timeout=10.0)) as client:
        answer = await client.request("GET", path or "/")
    if answer.status != OK:
        raise ConfigurationError(f"{url} answered {answer.status}, not with a document")
    return answer.body.decode("utf-8", "replace")
