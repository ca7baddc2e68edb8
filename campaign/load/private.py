"""What one user alone knows and nobody may read: saved values with the name of a secret, and those that
templates put where secrets go. They are looked for only where a failure is described.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, TypeAlias

from campaign.redact import names_secret
from campaign.target.scope import Scope
from campaign.target.spec import OperationSpec, TargetSpec, Vocabulary
from campaign.target.template import as_text

Path: TypeAlias = tuple[str, ...]
"""A value, by its name and those of the keys below it."""

MOST = 1000
"""Values of one user that are looked at; a target may have it save any number."""

DEEPEST = 5

_NAMED = re.compile(r"\{\{\s*([A-Za-z_]\w*(?:\.\w+)*)")
_CREDENTIALS = frozenset({"authorization", "cookie"})


def secret_paths(vocabulary: Vocabulary, target: TargetSpec) -> frozenset[Path]:
    """The values that go into `auth`, and into headers and fields with the name of a secret."""
    texts = [service.auth for service in target.services.values()]
    texts += _under_secret_names(target.headers)
    for operation in vocabulary.operations.values():
        texts += _secret_texts(operation)
    return frozenset(tuple(name.split(".")) for text in texts for name in _NAMED.findall(text))


def secrets_of(scope: Scope, paths: Iterable[Path]) -> Iterator[str]:
    """What this user would not say aloud; nothing is drawn or made up for it."""
    for path in paths:
        value: Any = scope.values
        for key in path:
            value = value.get(key) if isinstance(value, Mapping) else None
        if isinstance(value, str | int) and not isinstance(value, bool):
            yield as_text(value)
    yield from islice(_under_secret_names(scope.values), MOST)


def _secret_texts(operation: OperationSpec) -> Iterator[str]:
    body, socket = operation.body, operation.options.socket
    yield operation.auth
    yield from _under_secret_names(operation.headers)
    yield from _under_secret_names(operation.query)
    yield from _under_secret_names(body.form)
    yield from _under_secret_names({part.name: part.text for part in body.multipart})
    yield from _under_secret_names(body.json)
    yield from _under_secret_names(socket.json if socket else None)


def _under_secret_names(value: Any, *, secret: bool = False, depth: int = 0) -> Iterator[str]:
    """The texts below keys that are names of secrets."""
    if isinstance(value, str):
        if secret:
            yield value
    elif depth > DEEPEST:
        return
    elif isinstance(value, Mapping):
        for key, each in value.items():
            hidden = secret or names_secret(str(key)) or str(key).lower() in _CREDENTIALS
            yield from _under_secret_names(each, secret=hidden, depth=depth + 1)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _under_secret_names(each, secret=secret, depth=depth + 1)
