"""Which values of a campaign file must never reach a report."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote, quote_plus, unquote, urlsplit

from campaign.config.texts import TEMPLATE

MASK = "***"
SHORTEST = 4
"""Characters; hiding a shorter text wherever it occurs would hide half of every report."""

_SECRET_NAME = re.compile(
    r"(^|[-_])key$|api_?key|token|secret|passw|pwd|credential|authorization|cookie|^auth$|^pass$",
    re.IGNORECASE,
)
_SECRET_VARIABLE = re.compile(r"KEY|TOKEN|SECRET|PASS|PWD|CREDENTIAL|AUTH", re.IGNORECASE)
_CARRIERS = frozenset({"headers", "query", "json", "form", "multipart", "services", "auth"})
"""Keys of the file below which a telling name means a secret; under `save` or `expect` it does not."""


MOST_ROWS = 2_000
"""Rows of a data feed whose secrets are known by value; the names of their columns mask all others."""


def find_secrets(
    data: Any, variables: Mapping[str, str], *, feeds: Iterable[Sequence[Any]] = ()
) -> frozenset[str]:
    """Every text that must be masked: values of variables called ...KEY, passwords in URLs and data, auth."""
    found = {value for name, value in variables.items() if _SECRET_VARIABLE.search(name)}
    for value in [*variables.values(), *_texts(data)]:
        found |= set(_in_url(value))
    found |= set(_named(data, carried=False)) | set(_webhook(data))
    found |= {each for feed in feeds for each in _named(list(feed[:MOST_ROWS]), carried=True)}
    parts = {part for value in found for part in (value, *_credentials(value))}
    forms = {form for part in parts for form in (part, quote(part, safe=""), quote_plus(part))}
    return frozenset(form for form in forms if len(form.strip()) >= SHORTEST)


def _webhook(data: Any) -> Iterator[str]:
    """The whole address of a webhook: who knows it may write there."""
    notify = data.get("notify") if isinstance(data, Mapping) else None
    if isinstance(notify, Mapping) and isinstance(notify.get("webhook"), str):
        yield notify["webhook"]


def masked(value: Any, secrets: frozenset[str]) -> Any:
    """The same plain data without the secrets, longer ones first, wherever they stand in a text or a key."""
    if not secrets:
        return value
    return _mask(value, re.compile("|".join(map(re.escape, sorted(secrets, key=len, reverse=True)))))


def _mask(value: Any, pattern: re.Pattern[str]) -> Any:
    if isinstance(value, str):
        return pattern.sub(MASK, value)
    if isinstance(value, Mapping):
        return {_mask(key, pattern): _mask(each, pattern) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_mask(each, pattern) for each in value]
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return MASK if is_number and pattern.fullmatch(str(value)) else value


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(each)


def _in_url(text: str) -> Iterator[str]:
    if "://" not in text or "@" not in text:
        return
    try:
        password = urlsplit(text).password
    except ValueError:
        return
    if password:
        yield from (password, unquote(password))


def _named(value: Any, *, carried: bool) -> Iterator[str]:
    """Literal texts under a telling name, below a key that carries data to the target."""
    if isinstance(value, list):
        for each in value:
            yield from _named(each, carried=carried)
    for key, each in value.items() if isinstance(value, dict) else ():
        below = carried or key in _CARRIERS
        text = each.get("text") if isinstance(each, dict) else each  # a part of a multipart body
        if below and isinstance(text, str) and _SECRET_NAME.search(str(key)):
            yield from (part for part in _literals(text) if part.lower() != str(key).lower())
        else:
            yield from _named(each, carried=below)


SHORT_WORD = 8
"""Letters; a shorter word beside a template ("other {{ name }}") is no secret, and stands in many texts."""


def _literals(text: str) -> Iterator[str]:
    """The parts of a text that are always the same."""
    parts = [part.strip() for part in TEMPLATE.split(text)]
    alone = len(parts) == 1
    yield from (part for part in parts if alone or not (part.isalpha() and len(part) < SHORT_WORD))


def _credentials(text: str) -> Iterator[str]:
    """`Bearer abc` holds the secret `abc`."""
    scheme, _, rest = text.partition(" ")
    if scheme.lower() in ("bearer", "basic", "token", "digest", "apikey"):
        yield rest.strip()
