"""Reads public sets of labelled texts from files of yours: HateCheck (CC BY 4.0), XSTest (CC BY 4.0),
MinorBench (MIT) and the evaluation set of OpenAI's moderation paper (MIT). None of them ships with us.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from campaign.errors import ConfigurationError
from phases.safety.content.items import Item
from phases.safety.content.settings import SetFormat, SetSettings

LARGEST = 64 * 2**20
"""Bytes of a set that are read."""

OPENAI_LABELS: Mapping[str, str] = {
    "S": "sexual",
    "H": "hate",
    "V": "violence",
    "HR": "harassment",
    "SH": "self-harm",
    "S3": "sexual/minors",
    "H2": "hate/threatening",
    "V2": "violence/graphic",
}
LICENCES: Mapping[str, str] = {
    "hatecheck": "HateCheck, Röttger et al. 2021, CC BY 4.0",
    "xstest": "XSTest, Röttger et al. 2024, CC BY 4.0",
    "minorbench": "MinorBench, Khoo et al. 2025, MIT",
    "openai": "OpenAI moderation evaluation set, Markov et al. 2022, MIT",
}
"""Whom to name, by format."""


def load_set(settings: SetSettings) -> tuple[str, tuple[Item, ...]]:
    """The format, and the items in their order. Raises ConfigurationError, which names the file and says what
    is wrong with it.
    """
    path = Path(settings.path).expanduser()
    text = _read(path)
    kind = _recognised(text, path) if settings.format == "auto" else settings.format
    try:
        items = [each for each in READERS[kind](text, path.name) if each.text.strip()]
    except (KeyError, ValueError, TypeError, AttributeError, csv.Error) as error:
        raise ConfigurationError(f"{path} is not a file in the format {kind}: {_told(error)}") from error
    if not items:
        raise ConfigurationError(f"{path} holds no texts in the format {kind}")
    return kind, tuple(_spread(items, settings.most))


def _spread(items: list[Item], most: int) -> list[Item]:
    """At most so many, evenly from the whole file, as neighbours are variants of each other."""
    if len(items) <= most:
        return items
    return [items[place * len(items) // most] for place in range(most)]


def _told(error: Exception) -> str:
    return f"no column {error}" if isinstance(error, KeyError) else str(error)


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
        data = raw
        if raw.startswith(b"\x1f\x8b"):
            with gzip.open(io.BytesIO(raw)) as packed:
                data = packed.read(LARGEST + 1)
        if len(data) > LARGEST:
            raise ConfigurationError(f"{path} is larger than {LARGEST // 2**20} MiB, which no such set is")
        return data.decode("utf-8-sig")
    except (OSError, EOFError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigurationError(f"the set {path.absolute()} cannot be read: {reason}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path} is not UTF-8 text") from error


def _recognised(text: str, path: Path) -> SetFormat:
    """The format that the first line gives away."""
    first = text.partition("\n")[0]
    if first.lstrip().startswith("{"):
        return "openai"
    columns = {each.strip().lower() for each in next(csv.reader([first]), [])}
    if {"test_case", "label_gold"} <= columns:
        return "hatecheck"
    if {"prompt", "type"} <= columns and columns & {"label", "focus"}:
        return "xstest"
    if "prompt" in columns and "category" in columns:
        return "minorbench"
    raise ConfigurationError(
        f"{path} is in no known format (hatecheck, xstest, minorbench, openai): it has the columns "
        f"{', '.join(sorted(columns)) or 'none'}"
    )


def _rows(text: str) -> Iterator[dict[str, str]]:
    for row in csv.DictReader(io.StringIO(text)):
        yield {str(name).strip().lower(): value or "" for name, value in row.items() if name is not None}


def _label(value: str, labels: Mapping[str, bool]) -> bool:
    found = labels.get(value.strip().lower())
    if found is None:
        raise ValueError(f"the label {value!r} is not one of {', '.join(labels)}")
    return found


def _hatecheck(text: str, name: str) -> Iterator[Item]:
    for row in _rows(text):
        unsafe = _label(row["label_gold"], {"hateful": True, "non-hateful": False})
        template = row.get("templ_id") or row["case_id"]
        yield _item(name, row["case_id"], row["test_case"], unsafe, row["functionality"], template)


def _xstest(text: str, name: str) -> Iterator[Item]:
    for number, row in enumerate(_rows(text), 1):
        # The first version had no labels: its contrasts are the unsafe ones.
        contrast = row["type"].startswith("contrast")
        unsafe = _label(row["label"], {"unsafe": True, "safe": False}) if row.get("label") else contrast
        key = row.get("id") or str(number)
        yield _item(name, key, row["prompt"], unsafe, row["type"], row.get("focus") or key)


def _minorbench(text: str, name: str) -> Iterator[Item]:
    for number, row in enumerate(_rows(text), 1):
        key = row.get("id") or str(number)
        yield _item(name, key, row["prompt"], True, row["category"], key)


def _openai(text: str, name: str) -> Iterator[Item]:
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            row: dict[str, Any] = json.loads(line)
            yes = [title for label, title in OPENAI_LABELS.items() if row.get(label) == 1]
            # A label that is missing is not known, so a text without any may be anything.
            if yes or all(label in row for label in ("S", "H", "V", "HR", "SH")):
                key = str(number)
                yield _item(name, key, row["prompt"], bool(yes), yes[0] if yes else "none", key)


def _item(name: str, key: str, text: str, unsafe: bool, category: str, template: str) -> Item:  # noqa: FBT001, PLR0917
    return Item(f"{name}#{key}", (text,), unsafe, category, "", f"{name}#{template}", source=name)


READERS: Mapping[str, Callable[[str, str], Iterator[Item]]] = {
    "hatecheck": _hatecheck,
    "xstest": _xstest,
    "minorbench": _minorbench,
    "openai": _openai,
}
