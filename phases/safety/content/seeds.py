"""The seeds: sentences with slots, by label, category and age, read from `seeds.yaml`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from itertools import product
from typing import Any

import yaml

_SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Template:
    """A sentence, its place among the seeds, and every way to fill its slots."""

    id: str
    unsafe: bool
    category: str
    age: str
    pattern: str
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Seeds:
    """All templates of one version."""

    version: int
    templates: tuple[Template, ...]

    def categories(self, *, unsafe: bool) -> tuple[str, ...]:
        """The names on one side, in the order of the file."""
        return tuple(dict.fromkeys(each.category for each in self.templates if each.unsafe is unsafe))


@lru_cache(maxsize=1)
def seeds() -> Seeds:
    """The seeds that ship with this version."""
    document = yaml.safe_load(files("phases.safety.content").joinpath("seeds.yaml").read_text("utf-8"))
    return Seeds(document["version"], tuple(_templates(document)))


def _templates(document: Mapping[str, Any]) -> Iterator[Template]:
    for label in ("unsafe", "safe"):
        for category, by_age in document[label].items():
            for age, patterns in by_age.items():
                for number, pattern in enumerate(patterns, 1):
                    yield Template(
                        id=f"{category}.{age}.{number}",
                        unsafe=label == "unsafe",
                        category=category,
                        age=age,
                        pattern=pattern,
                        sentences=tuple(_sentences(pattern, document["slots"])),
                    )


def _sentences(pattern: str, slots: Mapping[str, list[str]]) -> Iterator[str]:
    names = list(dict.fromkeys(_SLOT.findall(pattern)))
    for values in product(*(slots[name] for name in names)):
        yield pattern.format_map(dict(zip(names, values, strict=True)))
