"""A YAML text as a tree of nodes with marks, or the one mistake in its syntax."""

from __future__ import annotations

import re
from typing import Any

import yaml
from yaml.composer import Composer
from yaml.parser import Parser
from yaml.reader import Reader, ReaderError
from yaml.resolver import BaseResolver
from yaml.scanner import Scanner

from campaign.config.scalars import plain_tag

LARGEST = 2**20
"""Characters of a campaign file; data belongs in files of its own."""

DEEPEST_BRACKETS = 60
KEYS = "keys such as name:, target:, phases:"
_QUOTES = 'quotes around a text that begins with a sign, such as "> 100/s", "{{ name }}" or "@me"'
_BREAK = re.compile(r"\r\n|[\r\n\x85\u2028\u2029]")


class SyntaxMistake(Exception):  # noqa: N818 - it never leaves this package
    """What is wrong with the text, and where; line 0: with the whole of it."""

    def __init__(self, found: str, allowed: str, *, line: int = 1, column: int = 1) -> None:
        super().__init__(found)
        self.found = found
        self.allowed = allowed
        self.line = line
        self.column = column


class _TooDeepError(yaml.MarkedYAMLError):
    """Collections are nested deeper than anyone means."""


class _Composer(Reader, Scanner, Parser, Composer, BaseResolver):
    """PyYAML's own parts with our meaning of plain scalars, and a bound on depth."""

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)
        Composer.__init__(self)
        BaseResolver.__init__(self)
        self._depth = 0

    def resolve(self, kind: type[yaml.Node], value: Any, implicit: Any) -> str:
        """The tag of a node that has none of its own."""
        if kind is yaml.ScalarNode and implicit[0]:
            return plain_tag(str(value))
        return str(super().resolve(kind, value, implicit))  # type: ignore[no-untyped-call]

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """A node with everything in it."""
        self._depth += 1
        if self._depth > DEEPEST_BRACKETS:
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise _TooDeepError(None, None, f"values nested more than {DEEPEST_BRACKETS} deep", mark)
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


def compose(text: str) -> yaml.Node:
    """The root node. Raises SyntaxMistake."""
    if len(text) > LARGEST:
        found = f"a file of {len(text):,} characters"
        raise SyntaxMistake(found, f"at most {LARGEST:,}; large data in a file of its own", line=0)
    try:
        node: yaml.Node | None = _Composer(text).get_single_node()
    except ReaderError as error:
        before = _BREAK.split(text[: error.position])
        line, column = len(before), len(before[-1]) + 1
        raise SyntaxMistake(
            "a character that YAML does not allow", "text", line=line, column=column
        ) from error
    except yaml.MarkedYAMLError as error:
        raise _explained(error, text) from error
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        raise SyntaxMistake(f"no YAML: {error}"[:200], "YAML") from error
    if node is None:
        raise SyntaxMistake("an empty file", KEYS)
    return node


def _explained(error: yaml.MarkedYAMLError, text: str) -> SyntaxMistake:
    mark = error.problem_mark or error.context_mark
    number, column = (mark.line, mark.column) if mark else (0, 0)
    line = [*_BREAK.split(text), ""][number]
    context = f" {error.context}" if error.context else ""
    found = f"{error.problem}{context}".removeprefix("found ")[:200]
    return SyntaxMistake(found, _hint(line, str(error.problem)), line=number + 1, column=column + 1)


def _hint(line: str, problem: str) -> str:
    if "\t" in line:
        return "spaces; YAML allows no tabs for indentation"
    if "${" in line and "{" in line.replace("${", ""):
        return 'inside { } a variable in quotes, such as "${NAME}"'
    if "mapping values are not allowed" in problem:
        return 'a space after each colon of a key, the same indentation for its neighbours, or quotes: "a: b"'
    if "cannot start any token" in problem or "comment or a line break" in problem:
        return _QUOTES
    return "YAML"
