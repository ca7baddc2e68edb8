"""`${VAR}` and `${VAR:-default}` in the values of a campaign file; `$${` stands for a plain `${`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

ALLOWED = "${NAME} or ${NAME:-default}; $${ for a plain ${"
_ESCAPED = "$${"
_REFERENCE = re.compile(r"\$\$\{|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^{}]*))?\}|\$\{")


@dataclass(slots=True)
class Expansion:
    """A text with its variables replaced, and what could not be: `unset` names, a `broken` `${`.

    `used` maps each variable to its value, taken from the environment or from the default.
    """

    text: str
    used: dict[str, str] = field(default_factory=dict)
    unset: list[str] = field(default_factory=list)
    broken: bool = False


def expand(text: str, environ: Mapping[str, str]) -> Expansion:
    """The text with every variable replaced; an empty variable counts as unset where there is a default."""
    result = Expansion(text)
    result.text = _REFERENCE.sub(lambda match: _replace(match, environ, result=result), text)
    return result


def _replace(match: re.Match[str], environ: Mapping[str, str], *, result: Expansion) -> str:
    name, default = match["name"], match["default"]
    if match[0] == _ESCAPED:
        return "${"
    if name is None:
        result.broken = True
        return match[0]
    value = environ.get(name)
    if not value and default is not None:
        value = default
    if value is None:
        result.unset.append(name)
        return ""
    result.used[name] = value
    return value
