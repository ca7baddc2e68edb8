"""Whether an answer is what the campaign file expects, and the values it saves from it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any, NamedTuple

from campaign.errors import ConfigurationError
from campaign.target.jsonpath import MISSING, compile_path
from campaign.target.spec import ExpectSpec
from campaign.units import format_quantity

_STATUS_CODES = range(100, 600)
_DEFAULT = ("2xx", "3xx")


class Miss(NamedTuple):
    """What was wrong with an answer: `kind` is "status" or "expectation", `detail` a few words to group by.

    The detail never quotes the answer, so that a million different wrong answers stay one group.
    """

    kind: str
    detail: str


class Expectation:
    """What must hold of an answer; `needs_body` and `needs_json` say what must be kept of it to tell."""

    __slots__ = (
        "_contains",
        "_headers",
        "_max_size",
        "_saves",
        "_status",
        "_wanted",
        "needs_body",
        "needs_json",
    )

    def __init__(self, spec: ExpectSpec, *, save: Mapping[str, str]) -> None:
        self._status = _codes(spec.status or _DEFAULT)
        self._headers = tuple((name.lower(), name, text) for name, text in spec.headers.items())
        self._max_size = spec.max_size
        self._contains = tuple((text.encode(), text) for text in spec.contains)
        self._wanted = tuple((compile_path(path), path, wanted) for path, wanted in spec.json.items())
        self._saves = tuple((name, compile_path(path), path) for name, path in save.items())
        self.needs_json = bool(self._wanted or self._saves)
        self.needs_body = bool(self.needs_json or self._contains or self._max_size)

    def check(
        self,
        status: int,
        headers: Iterable[tuple[bytes, bytes]],
        body: bytes,
        *,
        values: MutableMapping[str, Any] | None = None,
    ) -> Miss | None:
        """The first thing that is wrong, or None; a good answer's saved values are put into `values`.

        `headers` are raw names and values in any case, `body` is decompressed. An answer that missed saves
        nothing.
        """
        if status not in self._status:
            return Miss("status", f"status {status}")
        if self._headers and (miss := self._check_headers(headers)):
            return miss
        if self.needs_body and (miss := self._check_body(body)):
            return miss
        return self._check_json(body, values) if self.needs_json else None

    def _check_headers(self, headers: Iterable[tuple[bytes, bytes]]) -> Miss | None:
        found: dict[str, str] = {}
        for raw_name, raw_value in headers:
            name = raw_name.decode("latin-1").lower()
            found[name] = (
                f"{found[name]}, {raw_value.decode('latin-1')}"
                if name in found
                else raw_value.decode("latin-1")
            )
        for key, name, text in self._headers:
            if key not in found:
                return Miss("expectation", f"no header {name}")
            if text not in found[key]:
                return Miss("expectation", f"header {name} without {text!r}")
        return None

    def _check_body(self, body: bytes) -> Miss | None:
        if self._max_size and len(body) > self._max_size:
            return Miss("expectation", f"the answer is larger than {format_quantity(self._max_size, 'B')}")
        for wanted, text in self._contains:
            if wanted not in body:
                return Miss("expectation", f"the answer does not contain {text!r}")
        return None

    def _check_json(self, body: bytes, values: MutableMapping[str, Any] | None) -> Miss | None:
        try:
            document = json.loads(body.decode())
        except (ValueError, RecursionError):
            return Miss("expectation", "the answer is not JSON")
        for find, path, wanted in self._wanted:
            if miss := _compare(find(document), path, wanted=wanted):
                return miss
        return self._save(document, {} if values is None else values)

    def _save(self, document: Any, values: MutableMapping[str, Any]) -> Miss | None:
        found = {name: find(document) for name, find, _ in self._saves}
        for name, _, path in self._saves:
            if found[name] is MISSING:
                return Miss("expectation", f"no {path} in the answer")
        values.update(found)
        return None


def compile_expectation(spec: ExpectSpec, *, save: Mapping[str, str] | None = None) -> Expectation:
    """What checks an answer and saves from it. Raises ConfigurationError for a wrong path or status."""
    return Expectation(spec, save=save or {})


def _codes(wanted: Iterable[int | str]) -> frozenset[int]:
    return frozenset(code for each in wanted for code in _expand(each))


def _expand(status: int | str) -> Iterable[int]:
    text = str(status).lower()
    if len(text) == 3 and text.endswith("xx") and text[0] in "12345":
        first = int(text[0]) * 100
        return range(first, first + 100)
    if text.isdecimal() and int(text) in _STATUS_CODES:
        return (int(text),)
    raise ConfigurationError(f"{status!r} is not a status such as 201 or 2xx")


def _compare(found: Any, path: str, *, wanted: Any) -> Miss | None:
    if found is MISSING:
        return Miss("expectation", f"no {path} in the answer")
    if wanted is ... or _same(found, wanted):
        return None
    return Miss("expectation", f"{path} is not {json.dumps(wanted, ensure_ascii=False, default=repr)}")


def _same(found: Any, wanted: Any) -> bool:
    """JSON equality: true is not 1, at any depth."""
    if isinstance(wanted, dict):
        return (
            isinstance(found, dict)
            and found.keys() == wanted.keys()
            and all(_same(found[key], wanted[key]) for key in wanted)
        )
    if isinstance(wanted, list):
        return isinstance(found, list) and len(found) == len(wanted) and all(map(_same, found, wanted))
    return isinstance(found, bool) == isinstance(wanted, bool) and bool(found == wanted)
