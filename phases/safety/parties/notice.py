"""What the online notice says."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from campaign.errors import CampaignError
from campaign.target.guard import Guard
from campaign.target.http import ControlClient
from campaign.target.origin import split_url
from campaign.target.request import Request
from campaign.target.spec import OptionsSpec, TargetSpec
from phases.safety.parties.settings import Notice

PATIENCE, REDIRECTS, LARGEST = 10.0, 3, 4 * 2**20
_HIDDEN = re.compile(r"<(script|style)\b.*?</\1\s*>|<!--.*?-->", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^>]*>")


async def read_notice(target: TargetSpec, notice: Notice) -> dict[str, Any]:
    """Its status and its text as a reader sees it, in lower case; `why` it could not be read."""
    request = _request(target, notice.url)
    options = OptionsSpec(timeout=PATIENCE, redirects=REDIRECTS, max_body=LARGEST)
    try:
        async with ControlClient(target, Guard(target.allow_hosts), options=options) as client:
            answer = await client.send(request)
    except CampaignError as error:
        return {"status": None, "text": "", "why": str(error)}
    return {"status": answer.status, "text": plain_text(answer.body.decode("utf-8", "replace")), "why": ""}


def plain_text(page: str) -> str:
    """What a reader sees of a page, in lower case, with single spaces."""
    return " ".join(unescape(_TAG.sub(" ", _HIDDEN.sub(" ", page))).lower().split())


def _request(target: TargetSpec, url: str) -> Request:
    """Asked for as anybody does: without credentials, and without the headers of the campaign file."""
    origin, path = split_url(url if "://" in url else f"{target.url.rstrip('/')}{url}")
    head = f"GET {path or '/'} HTTP/1.1\r\nHost: {origin.authority}\r\nAccept: text/html, text/plain\r\n"
    return Request(origin, "GET", head.encode(), b"")
