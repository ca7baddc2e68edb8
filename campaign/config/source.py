"""A YAML text as plain data, with the place of every key and value.

YAML's traps are closed on the way: only plain tags, no key twice, no variable that becomes structure (they
are replaced after parsing), bounds on size, depth and number of values, so that no text takes long or much
memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from campaign.config.document import Document
from campaign.config.mistakes import Path, Place, closest, written
from campaign.config.scalars import SCALAR_TAGS, Tag, expanded_value, scalar_value
from campaign.config.syntax import KEYS, SyntaxMistake, compose
from campaign.config.variables import ALLOWED, expand

DEEPEST = 40
MOST_NODES = 50_000
_MERGE = "<<"


def load(text: str, source: str, *, environ: Mapping[str, str]) -> Document:
    """The document of a campaign file; its `mistakes` say what could not be read."""
    document = Document(source)
    try:
        root = compose(text)
    except SyntaxMistake as mistake:
        document.note(
            (), mistake.found, allowed=mistake.allowed, at=Place(source, mistake.line, mistake.column)
        )
        return document
    if isinstance(root, yaml.MappingNode):
        _Construction(document, environ).build(root, ())
    else:
        document.note((), _kind(root), allowed=KEYS, at=_place(root, source))
    return document


class _Construction:
    """Turns nodes into data, one value per path."""

    def __init__(self, document: Document, environ: Mapping[str, str]) -> None:
        self.document = document
        self.environ = environ
        self.count = 0
        self.around: list[yaml.Node] = []

    def build(self, root: yaml.MappingNode, path: Path) -> None:
        data = self._value(root, path)
        self.document.data = data if isinstance(data, dict) else {}

    def _value(self, node: yaml.Node, path: Path) -> Any:
        self.count += 1
        self.document.values[path] = _place(node, self.document.source)
        if self.count == MOST_NODES + 1:
            self.document.note(
                path, f"more than {MOST_NODES:,} values", allowed="large data in a file of its own"
            )
        if len(path) == DEEPEST:
            self.document.note(path, f"values nested more than {DEEPEST} deep", allowed="a flatter file")
        if self.count > MOST_NODES or len(path) >= DEEPEST:
            return None
        if node in self.around:
            self.document.note(path, "a value that contains itself", allowed="an alias of another value")
            return None
        self.around.append(node)
        value = self._of_kind(node, path)
        self.around.pop()
        return value

    def _of_kind(self, node: yaml.Node, path: Path) -> Any:
        match node:
            case yaml.MappingNode(tag=Tag.MAPPING):
                return {key: self._value(value, (*path, key)) for key, value in self._pairs(node, path)}
            case yaml.SequenceNode(tag=Tag.SEQUENCE):
                return [self._value(item, (*path, index)) for index, item in enumerate(node.value)]
            case yaml.ScalarNode() if node.tag in SCALAR_TAGS:
                return self._scalar(node, path)
        self.document.note(path, f"the tag {written(node.tag)}", allowed="plain values without a tag")
        return None

    def _pairs(self, node: yaml.MappingNode, path: Path) -> Iterator[tuple[str, yaml.Node]]:
        """Each key once: a merged one only where the mapping itself does not have it."""
        own: dict[str, yaml.Node] = {}
        merged: dict[str, yaml.Node] = {}
        for key_node, value in node.value:
            key = self._key(key_node, path)
            if _is_merge(key_node):
                self._merge(value, path, merged=merged)
            elif key is not None and self._is_first(key, key_node, path=(*path, key)):
                own[key] = value
        yield from {**merged, **own}.items()

    def _key(self, node: yaml.Node, path: Path) -> str | None:
        if isinstance(node, yaml.ScalarNode):
            return str(node.value)
        found = f"{_kind(node)} as a key"
        self.document.note(
            path, found, allowed='a template in quotes: "{{ name }}"', at=_place(node, self.document.source)
        )
        return None

    def _is_first(self, key: str, node: yaml.Node, *, path: Path) -> bool:
        place = _place(node, self.document.source)
        earlier = self.document.keys.setdefault(path, place)
        if earlier == place:
            return True
        found = f"the key {written(key)} a second time (first in line {earlier.line})"
        self.document.note(path, found, allowed="each key once", at=place)
        return False

    def _merge(self, node: yaml.Node, path: Path, *, merged: dict[str, yaml.Node]) -> None:
        """Add what `<<` brings; earlier mappings go before later ones, each before what it merges itself."""
        for part in node.value if isinstance(node, yaml.SequenceNode) else [node]:
            self.count += 1
            if not isinstance(part, yaml.MappingNode) or part in self.around:
                found = "a mapping that contains itself" if part in self.around else _kind(part)
                allowed = "another mapping to merge, or a list of mappings"
                self.document.note((*path, _MERGE), found, allowed=allowed)
            elif self.count <= MOST_NODES:
                self.around.append(part)
                self._merge_one(part, path, merged=merged)
                self.around.pop()

    def _merge_one(self, part: yaml.MappingNode, path: Path, *, merged: dict[str, yaml.Node]) -> None:
        further = []
        for key_node, value in part.value:
            if _is_merge(key_node):
                further.append(value)
            elif isinstance(key_node, yaml.ScalarNode):
                merged.setdefault(str(key_node.value), value)
        for each in further:
            self._merge(each, path, merged=merged)

    def _scalar(self, node: yaml.ScalarNode, path: Path) -> Any:
        text = str(node.value)
        try:
            return self._expanded(node, path) if "${" in text else scalar_value(text, node.tag)
        except ValueError:
            self.document.note(
                path, written(text), allowed=f"a value of the kind {node.tag.rpartition(':')[2]}"
            )
            return None

    def _expanded(self, node: yaml.ScalarNode, path: Path) -> Any:
        result = expand(str(node.value), self.environ)
        self.document.variables.update(result.used)
        known = () if self.document.is_full else self.environ
        for name in result.unset:
            found = f"${{{name}}}, an environment variable that is not set"
            allowed = f"set {name}, or write ${{{name}:-default}}"
            self.document.note(path, found, allowed=allowed, suggestion=closest(name, known))
        if result.broken:
            self.document.note(path, written(node.value), allowed=ALLOWED)
        if result.unset or result.broken:
            return None
        return expanded_value(result.text) if node.style is None else result.text


def _is_merge(key: yaml.Node) -> bool:
    return isinstance(key, yaml.ScalarNode) and key.value == _MERGE and key.style is None


def _place(node: yaml.Node, source: str) -> Place:
    return Place(source, node.start_mark.line + 1, node.start_mark.column + 1)


def _kind(node: yaml.Node) -> str:
    if isinstance(node, yaml.MappingNode):
        return "a mapping"
    return "a list" if isinstance(node, yaml.SequenceNode) else f"only the value {written(node.value)}"
