"""The cookies that an answer sets, with what it says of each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_NEXT = re.compile(r",\s*(?=[!#$%&'*+.^_`|~0-9A-Za-z-]+=)")
"""Between two cookies in one line; the comma in a date is followed by no name with an equals sign."""


@dataclass(frozen=True, slots=True)
class SetCookie:
    """One cookie; `flags` are its attributes in lower case, with their values ("" where they have none)."""

    name: str
    value: str
    flags: Mapping[str, str]

    @property
    def removed(self) -> bool:
        """Whether the answer takes it away rather than sets it."""
        return not self.value.strip('"') or self.flags.get("max-age") == "0"


def cookies_of(headers: Mapping[str, str]) -> Iterator[SetCookie]:
    """The cookies that an answer with these headers sets (names in lower case, several in one line)."""
    for text in _NEXT.split(headers.get("set-cookie", "")):
        first, *rest = (part.strip() for part in text.split(";"))
        name, equals, value = first.partition("=")
        if equals:
            pairs = (part.partition("=") for part in rest if part)
            yield SetCookie(name, value, {key.strip().lower(): said.strip() for key, _, said in pairs})
