"""Field types for the texts of a campaign file: names, URLs, headers, requests, files."""

import ipaddress
import re
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, ValidationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
UPGRADE = "WS"
"""What stands in the place of a method in a request that opens a WebSocket."""

LONGEST_TITLE = 100
TEMPLATE = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,59}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,59}")
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_PATH = re.compile(r"/[!-~]*")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?\.?|[0-9A-Fa-f:.]{2,45}")
_STORE = re.compile(r"[a-z][a-z0-9+]{1,40}://\S*")


def wrong(allowed: str, *, found: str = "", names: Collection[str] = ()) -> PydanticCustomError:
    """A mistake to raise in a validator; `found` stands for the value, `names` are those to choose from."""
    return PydanticCustomError(
        "wrong", "is not {allowed}", {"allowed": allowed, "found": found, "names": list(names)}
    )


def _matching(pattern: re.Pattern[str], allowed: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        if not pattern.fullmatch(text):
            raise wrong(allowed)
        return text

    return check


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    raise wrong('text; "" for an empty one')


def _one_line(text: str) -> str:
    if _CONTROL.search(text):
        raise wrong("text on one line")
    return text


def _title(text: str) -> str:
    if not 0 < len(text.strip()) <= LONGEST_TITLE:
        raise wrong(f"1 to {LONGEST_TITLE} characters")
    return text.strip()


def _request(text: str, methods: Collection[str] = METHODS) -> str:
    method, _, path = text.strip().partition(" ")
    if method not in methods or not _PATH.fullmatch(TEMPLATE.sub("x", path.strip())):
        raise wrong("a method and a path, such as GET /health (no spaces in the path; write them as %20)")
    return f"{method} {path.strip()}"


def _operation_request(text: str) -> str:
    return _request(text, (*METHODS, UPGRADE))


def _health(text: str) -> str:
    return _request(text if " " in text.strip() else f"GET {text.strip()}")


def base_url(text: str) -> str:
    """An http(s) URL with a host and nothing after its path, without the slash at its end."""
    allowed = "a URL such as https://staging.example.com (http or https, with a host)"
    if _CONTROL.search(text) or " " in text:
        raise wrong(allowed)
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise wrong(allowed) from error
    if parts.scheme not in ("http", "https") or not host or not text.isascii() or port == 0:
        raise wrong(allowed)
    if parts.username is not None:
        raise wrong(
            "a URL without a user or password; those go into auth or headers", found="credentials in a URL"
        )
    if parts.query or parts.fragment:
        raise wrong("a URL without ? and #; a query belongs to an operation")
    return text.rstrip("/")


def _webhook(text: str) -> str:
    """An https URL, which may have a query; plain http for a receiver on this machine. Empty: none."""
    bare, mark, query = text.partition("?")
    if not text or not base_url(bare).startswith("http:") or _is_loopback(bare):
        return text if not mark or _PATH.fullmatch(f"/{query}") else base_url(text)
    raise wrong("an https URL (plain http only to this machine), as what is told is nobody else's business")


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _metrics(text: str) -> str:
    return text if _PATH.fullmatch(text) else base_url(text)


def _store(text: str) -> str:
    allowed = "a URL such as postgresql://user@localhost/name or redis://localhost:6379/0"
    if not _STORE.fullmatch(text):
        raise wrong(allowed)
    try:
        port = urlsplit(text).port
    except ValueError as error:
        raise wrong(allowed, found="a URL with a port that is none, or with brackets out of place") from error
    if port == 0:
        raise wrong(allowed, found="a URL with port 0")
    return text


def _host(text: str) -> str:
    try:
        return (
            str(ipaddress.ip_network(text, strict=False)) if "/" in text else str(ipaddress.ip_address(text))
        )
    except ValueError:
        return _matching(
            _HOST, "a host name, an address or a network, such as staging.example.com or 203.0.113.0/24"
        )(text).lower()


def existing_file(text: str, info: ValidationInfo) -> str:
    """The absolute path of a file that is there; relative paths begin at the campaign file's folder."""
    try:
        path = (Path((info.context or {}).get("folder", ".")) / text).resolve()
        found = path.is_file()
    except (OSError, ValueError, RuntimeError):
        found = False
    if not found:
        raise wrong(
            "a file that exists (a relative path begins at the campaign file)",
            found=f"{text[:80]!r}, no such file",
        )
    return str(path)


Text = Annotated[str, BeforeValidator(_text), WithJsonSchema({"type": ["string", "number", "boolean"]})]
"""A text, which YAML may have read as a number or a truth value."""

Line = Annotated[Text, AfterValidator(_one_line)]
"""A text without line breaks or other control characters."""

Name = Annotated[
    str,
    AfterValidator(
        _matching(_NAME, "a name of letters, digits, _ and -, beginning with a letter, at most 60 long")
    ),
]
"""A name that the campaign file gives to something."""

Variable = Annotated[
    str, AfterValidator(_matching(_VARIABLE, "a variable name of letters, digits and _, at most 60 long"))
]
"""A name that templates may use."""

Title = Annotated[Line, AfterValidator(_title)]
HeaderName = Annotated[str, AfterValidator(_matching(_HEADER, "a header name such as X-Request-Id"))]
OperationRequest = Annotated[
    str,
    AfterValidator(_operation_request),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": rf"^\s*({'|'.join((*METHODS, UPGRADE))})\s+/",
            "examples": ["POST /api/items", "WS /chat"],
        }
    ),
]
"""A method and a path; `WS /path` opens a WebSocket."""

HealthRequest = Annotated[
    str, AfterValidator(_health), WithJsonSchema({"type": "string", "examples": ["GET /health"]})
]
MetricsAddress = Annotated[str, AfterValidator(_metrics)]
BaseUrl = Annotated[str, AfterValidator(base_url)]
WebhookUrl = Annotated[str, AfterValidator(_webhook)]
StoreUrl = Annotated[str, AfterValidator(_store)]
Host = Annotated[Text, AfterValidator(_host)]
ExistingFile = Annotated[str, AfterValidator(existing_file)]
