"""The model of a data feed: values in the campaign file, or in a text, CSV, JSON or JSON Lines file."""

import csv
import io
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from pydantic import PrivateAttr, ValidationInfo, model_validator
from pydantic.json_schema import JsonSchemaValue

from campaign.config.data import JsonData
from campaign.config.part import ShortPart
from campaign.config.texts import existing_file, wrong
from campaign.target.spec import FeedSpec

LARGEST = 64 * 2**20
"""Bytes of a data file; every worker process holds a copy of its values."""


class FeedModel(ShortPart):
    """Values and the order in which users get them; `[a, b]` or `prompts.txt` alone is the short form."""

    short_schema: ClassVar[JsonSchemaValue] = {
        "type": ["array", "string"],
        "examples": ["prompts.txt", ["a", "b"]],
    }

    file: str = ""
    values: tuple[JsonData, ...] = ()
    order: Literal["in_turn", "per_user", "random", "once"] = "in_turn"
    _read: tuple[Any, ...] = PrivateAttr(default=())

    @classmethod
    def expand(cls, value: Any, info: ValidationInfo) -> Any:  # noqa: ARG003 - the shape of every part
        """A list is the values, a text the path of a file."""
        return (
            {"values": value}
            if isinstance(value, list)
            else {"file": value}
            if isinstance(value, str)
            else value
        )

    @model_validator(mode="after")
    def _filled(self, info: ValidationInfo) -> Self:
        if bool(self.file) == ("values" in self.model_fields_set):
            raise wrong("one of file and values", found="both" if self.file else "neither file nor values")
        self._read = read_values(existing_file(self.file, info)) if self.file else self.values
        if not self._read:
            raise wrong("a list with values in it", found="no values")
        return self

    def spec(self, name: str) -> FeedSpec:
        """The same as plain data."""
        return FeedSpec(name, self._read, self.order)


def read_values(path: str) -> tuple[Any, ...]:
    """The values in a data file; its ending says how they are written."""
    reader = _READERS.get(Path(path).suffix.lower())
    if reader is None:
        raise wrong(f"a file that ends in {', '.join(_READERS)}", found=f"the file {Path(path).name!r}")
    try:
        if Path(path).stat().st_size > LARGEST:
            raise wrong(f"at most {LARGEST // 2**20} MiB", found=f"a larger file, {Path(path).name!r}")
        return tuple(reader(Path(path).read_text(encoding="utf-8-sig")))
    except (OSError, ValueError, RecursionError, csv.Error) as error:
        found = f"{Path(path).name!r}, which cannot be read: {error}"
        raise wrong("a UTF-8 file whose content agrees with its ending", found=found[:200]) from error


def _lines(text: str) -> Iterable[Any]:
    return (line.strip() for line in text.splitlines() if line.strip())


def _rows(text: str) -> Iterable[Any]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    names = reader.fieldnames or []
    if len(set(names)) != len(names) or "" in names:
        raise ValueError("its first line must give each column a name of its own")
    for row in reader:
        if None in row or None in row.values():
            raise ValueError(f"line {reader.line_num} does not have {len(names)} columns")
        yield row


def _items(text: str) -> Iterable[Any]:
    values = json.loads(text, parse_constant=_no_constant)
    if not isinstance(values, list):
        raise ValueError("it is not a list")  # noqa: TRY004 - about the content
    return values


def _json_lines(text: str) -> Iterable[Any]:
    return (json.loads(line, parse_constant=_no_constant) for line in _lines(text))


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


_READERS: dict[str, Callable[[str], Iterable[Any]]] = {
    ".txt": _lines,
    ".csv": _rows,
    ".json": _items,
    ".jsonl": _json_lines,
}
