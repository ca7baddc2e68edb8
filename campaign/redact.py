"""Masks secrets in texts before anybody can read them: known values, and what looks like a secret anywhere.

Every pattern reads a text once, without going back over it, so a hostile answer cannot make masking slow.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

MASK = "***"

SHORTEST_SECRET = 4
"""Characters; a shorter known secret would mask half of every text and is left to the patterns."""

_ROUNDS = 4
"""A mask may lay bare the start of another secret that was glued to it; more rounds find nothing new."""

_NAME = (
    r"(?:password|passwd|passphrase|pwd|secret(?:[_-]?key)?|token|(?:api|access|private)[_-]?key|credentials?"
    r"|signature|session[_-]?id)(?![a-z])(?![_-]type)(?:[_-]\w{1,20})?"
)
_SECRET_NAME = re.compile(_NAME, re.IGNORECASE)
_NAMED = re.compile(
    rf"""({_NAME}\\?["']?\s{{0,4}}[=:]\s{{0,4}})(?:"""
    r"""(")(?:[^"\\]|\\.)*+("?)"""
    r"""|(')(?:[^'\\]|\\.)*+('?)"""
    r"""|(\\")[^"]*+("?)"""  # JSON inside a JSON string
    r"""|(?!null\b|true\b|false\b)(?:[^\s&;,"'<>(){}\[\]\\]|\\[^"'])++)""",
    re.IGNORECASE | re.DOTALL,
)
_AUTHORIZATION = re.compile(
    r"""(authorization["']?\s{0,4}[:=]\s{0,4}["']?)(?:(bearer|basic|digest|token)\s{1,4})?[^\s"',;]++""",
    re.IGNORECASE,
)
_LINE_END = r"(?:\r?\n|(?:\\r)?\\n)"
_PART = re.compile(  # of a multipart body, also where a JSON string quotes it
    rf"""(\bname=\\?"(?=[^"\\\r\n]{{0,100}}?{_NAME})(?:(?!{_LINE_END}{_LINE_END}).){{0,400}}+{_LINE_END}{{2}})"""
    rf"""(?:(?!{_LINE_END}--).)++""",
    re.IGNORECASE | re.DOTALL,
)
_COOKIE = re.compile(r"(\bcookie:\s{0,4})[^\r\n]++", re.IGNORECASE)
_BEARER = re.compile(r"(\bbearer\s{1,4})[\w.~+/=-]{8,}+", re.IGNORECASE)
_USER_INFO = re.compile(r"(://)([^\s/@:]{0,128}+)(:[^\s/]{0,256})?@")
_BARE = re.compile(
    r"(?<![\w-])(?:"
    r"eyJ[\w-]{5,}+\.[\w-]{5,}+(?:\.[\w-]*+)?"  # a JSON web token
    r"|AKIA[0-9A-Z]{16}|gh[pousr]_\w{20,}+|(?:sk|pk|rk)[-_](?:[\w-]{16,}+)|xox[abpr]-[\w-]{10,}+"
    r")"
)
PERSONAL = re.compile(
    r"(?P<mail>[\w.+-]{1,64}@[\w-]{1,63}\.[\w.]{2,20})|(?P<phone>(?<!\d)\+?\d[\d .()-]{7,14}\d(?!\d))"
)
"""Mail addresses, and what may be the number of a telephone."""

_PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|\Z)", re.DOTALL
)


def names_secret(name: str) -> bool:
    """Whether a key of that name holds a secret, whatever its value looks like."""
    return _SECRET_NAME.search(name) is not None


class Redactor:
    """`redact(text)` gives the text with secrets as `***`; doing it twice changes nothing more."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = {secret for secret in secrets if len(secret) >= SHORTEST_SECRET}
        # A password that is itself the word "password" must not hide the name that gives another one away.
        self._values = _any_of(secret for secret in known if not _SECRET_NAME.search(secret))
        self._names = _any_of(secret for secret in known if _SECRET_NAME.search(secret))

    def __call__(self, text: str) -> str:
        """The text with everything masked that is, or looks like, a secret."""
        for _ in range(_ROUNDS):
            masked = self._names.sub(MASK, _mask_shapes(self._values.sub(MASK, text)))
            if masked == text:
                break
            text = masked
        return text


def mask_personal(text: str) -> str:
    """The text without mail addresses and numbers of telephones."""
    return PERSONAL.sub(MASK, text)


def mask_own(text: str, own: Iterable[str], *, redact: Callable[[str], str]) -> str:
    """The text without the values `own`, which one user alone has, and without what `redact` masks.

    They differ from call to call, so nothing is compiled for them.
    """
    known = {each for each in own if len(each) >= SHORTEST_SECRET}
    late = {each for each in known if _SECRET_NAME.search(each)}
    return _without(redact(_without(text, known - late)), late)


def masked(value: Any, redact: Callable[[str], str]) -> Any:
    """The same plain data with every text masked, keys too, and all that stands under a secret's name."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {redact(str(key)): _masked_under(str(key), each, redact) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [masked(each, redact) for each in value]
    return value


def _masked_under(key: str, value: Any, redact: Callable[[str], str]) -> Any:
    if isinstance(value, str) and value and names_secret(key):
        return MASK
    return masked(value, redact)


def _mask_shapes(text: str) -> str:
    text = _PRIVATE_KEY.sub(MASK, text)
    text = _PART.sub(rf"\1{MASK}", text)
    text = _COOKIE.sub(rf"\1{MASK}", text)
    text = _AUTHORIZATION.sub(_mask_credentials, text)
    text = _BEARER.sub(rf"\1{MASK}", text)
    text = _USER_INFO.sub(_mask_user_info, text)
    text = _BARE.sub(MASK, text)
    return _NAMED.sub(_mask_named, text)


def _mask_named(match: re.Match[str]) -> str:
    name, *quotes = (each or "" for each in match.groups())
    opening = "".join(quotes[::2])
    return f"{name}{opening}{MASK}{opening if any(quotes[1::2]) else ''}"


def _mask_credentials(match: re.Match[str]) -> str:
    name, scheme = match.groups()
    return f"{name}{scheme} {MASK}" if scheme else f"{name}{MASK}"


def _mask_user_info(match: re.Match[str]) -> str:
    start, user, password = match.groups()
    return f"{start}{user}:{MASK}@" if password else f"{start}{MASK}@"


def _without(text: str, values: Iterable[str]) -> str:
    spellings = {spelling for value in values for spelling in _spellings(value)}
    for spelling in sorted(spellings, key=len, reverse=True):
        text = text.replace(spelling, MASK)
    return text


def _any_of(secrets: Iterable[str]) -> re.Pattern[str]:
    """Matches any of the texts, as they are or as URLs or JSON write them, the longest first; or nothing."""
    spellings = {spelling for secret in secrets for spelling in _spellings(secret)}
    ordered = sorted(spellings, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, ordered)) or r"(?!)")


def _spellings(secret: str) -> Collection[str]:
    return {
        secret,
        quote(secret, safe="", errors="replace"),
        quote_plus(secret, errors="replace"),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
    }
