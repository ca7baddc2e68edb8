"""What answers tell a browser: what becomes of cookies, and which other sites may read them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from campaign.errors import CampaignError
from campaign.target.origin import split_url
from campaign.target.request import Request
from phases.safety.asking import NotTestedError, ask
from phases.safety.cast.principal import Heard, Principal
from phases.safety.changes import Change, with_header
from phases.safety.cookies import SetCookie, cookies_of
from phases.safety.probe import Answered, Probe
from phases.safety.scene import Scene
from phases.safety.transport.plan import WEIGHTS, check_of

COOKIES = "Set cookies HttpOnly, SameSite=Lax or Strict, and over https Secure."
CORS = "Allow other sites one by one; never echo whoever asks, least of all with credentials."


def cookies(scene: Scene, answers: Iterable[Heard]) -> Probe:
    """Every cookie that was set, against what it should say."""
    secure = split_url(scene.context.target.url)[0].secure
    readable = set(scene.settings.transport.readable)
    seen, wrong, ids = set(), [], []
    for heard in answers:
        for cookie in cookies_of(heard.headers):
            if cookie.removed or cookie.name in seen:
                continue
            seen.add(cookie.name)
            if missing := list(lacking(cookie, secure=secure, readable=cookie.name in readable)):
                wrong.append(f"{cookie.name} of {heard.operation} lacks {' and '.join(missing)}")
                ids.append(heard.id)
    if not seen:
        return _probe("cookies", Answered.NOT_APPLICABLE, "no answer to transport.operations set a cookie")
    if wrong:
        return _probe("cookies", Answered.FAILED, "; ".join(wrong), tuple(ids))
    names = ", ".join(sorted(seen))
    note = "" if secure else " (Secure is not asked of plain http)"
    return _probe("cookies", Answered.PASSED, f"{names}: closed to scripts and to other sites{note}")


def lacking(cookie: SetCookie, *, secure: bool, readable: bool) -> Iterator[str]:
    """The attributes that a cookie should have and has not."""
    if "httponly" not in cookie.flags and not readable:
        yield "HttpOnly"
    if cookie.flags.get("samesite", "").lower() not in {"lax", "strict"}:
        yield "SameSite=Lax or Strict"
    if secure and "secure" not in cookie.flags:
        yield "Secure"


async def cors(scene: Scene, who: Principal, operations: Iterable[str]) -> Probe:
    """What a page of another site may read in the name of whoever looks at it."""
    host = split_url(scene.context.target.url)[0].host
    origins = ("https://campaign-stranger.example", f"https://{host}.campaign-stranger.example", "null")
    asked = 0
    for operation in operations:
        for origin in origins:
            for preflight in (True, False):
                heard = await _asked(who, operation, _from(origin, preflight=preflight))
                if heard is None:
                    continue
                asked += 1
                if why := allows(heard.headers, origin):
                    said = f"{operation}: a page of {origin} {why}"
                    return _probe("cors", Answered.FAILED, said, (heard.id,))
    if not asked:
        raise NotTestedError("nothing could be asked as a page of another site would")
    said = f"no page of another site may read answers with credentials ({asked} requests)"
    return _probe("cors", Answered.PASSED, said)


async def _asked(who: Principal, operation: str, change: Change) -> Heard | None:
    try:
        return await ask(who, operation, change=change)
    except CampaignError:
        return None


def _from(origin: str, *, preflight: bool) -> Change:
    """The request as a browser sends it for a page of this origin, or the one that asks whether it may."""

    def change(request: Request) -> Request:
        marked = with_header("Origin", origin)(request)
        if not preflight:
            return marked
        method = request.method
        _, _, rest = marked.head.partition(b" ")
        asking = replace(marked, method="OPTIONS", head=b"OPTIONS " + rest, body=b"")
        return with_header("Access-Control-Request-Method", method)(asking)

    return change


def allows(headers: Mapping[str, str], origin: str) -> str:
    """What is wrong with the answer to a page of this origin; "" where nothing is.

    To be read without credentials by anybody is what a public answer may be; a browser sends none then.
    """
    allowed = headers.get("access-control-allow-origin", "").strip()
    if headers.get("access-control-allow-credentials", "").strip().lower() != "true":
        return ""
    if allowed == origin:
        return "may read it with the credentials of whoever looks at the page"
    return "is allowed with credentials, as every page is (*)" if allowed == "*" else ""


def _probe(kind: str, answered: Answered, said: str, ids: tuple[str, ...] = ()) -> Probe:
    remedy = {"cookies": COOKIES, "cors": CORS}[kind] if answered is Answered.FAILED else ""
    return Probe(check_of(kind), WEIGHTS[kind], answered, said, remedy, ids)
