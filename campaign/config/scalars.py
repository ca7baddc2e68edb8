"""What a plain YAML scalar means: the core schema of YAML 1.2, so `no` and `12:30` are texts.

Two additions that lose nothing: a number with leading zeros is a text (a code, not a quantity), and so is one
with more digits than anyone counts.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import StrEnum
from typing import Any


class Tag(StrEnum):
    """The kinds of values that a campaign file holds, by their YAML names."""

    MAPPING = "tag:yaml.org,2002:map"
    SEQUENCE = "tag:yaml.org,2002:seq"
    TEXT = "tag:yaml.org,2002:str"
    INTEGER = "tag:yaml.org,2002:int"
    NUMBER = "tag:yaml.org,2002:float"
    TRUTH = "tag:yaml.org,2002:bool"
    NOTHING = "tag:yaml.org,2002:null"


SCALAR_TAGS = frozenset(Tag) - {Tag.MAPPING, Tag.SEQUENCE}

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_TRUTHS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?(0|[1-9][0-9]{0,99})")
_FLOAT = re.compile(r"[-+]?(\.[0-9]{1,99}|(0|[1-9][0-9]{0,99})(\.[0-9]{0,99})?)([eE][-+]?[0-9]{1,4})?")
_SPECIAL = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


def plain_tag(text: str) -> Tag:
    """The tag of an unquoted scalar."""
    if text in _NULLS:
        return Tag.NOTHING
    if text in _TRUTHS:
        return Tag.TRUTH
    if _INT.fullmatch(text):
        return Tag.INTEGER
    return Tag.NUMBER if _FLOAT.fullmatch(text) or _SPECIAL.fullmatch(text) else Tag.TEXT


def scalar_value(text: str, tag: str) -> Any:
    """The value of a scalar with this tag; raises ValueError where they do not fit."""
    if tag == Tag.TEXT:
        return text
    plain = plain_tag(text)
    if plain != tag and (plain, tag) != (Tag.INTEGER, Tag.NUMBER):
        raise ValueError(f"{text!r} does not fit {tag}")
    return _READERS[Tag(tag)](text)


def plain_value(text: str) -> Any:
    """The value of an unquoted scalar."""
    return scalar_value(text, plain_tag(text))


def expanded_value(text: str) -> Any:
    """The value of an unquoted scalar whose text came from a variable.

    It becomes a number only where writing that number gives the same text again, so a password of digits
    stays what it is.
    """
    value = plain_value(text)
    if value is None:
        return None if text == "" else text
    return value if isinstance(value, bool | str) or str(value) == text else text


def _float(text: str) -> float:
    return float(text.replace(".", "") if _SPECIAL.fullmatch(text) else text)


_READERS: dict[Tag, Callable[[str], Any]] = {
    Tag.NOTHING: lambda _: None,
    Tag.TRUTH: _TRUTHS.__getitem__,
    Tag.INTEGER: int,
    Tag.NUMBER: _float,
}
