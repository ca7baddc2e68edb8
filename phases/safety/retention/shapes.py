"""What looks like personal data: by the name of a column or field, and by the shape of a value. Pure.

Names and shapes are hints: that a vector is a voiceprint, no probe can know. What is declared in the data map
is not asked about again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """Kinds of personal data (16 CFR 312.2)."""

    BIOMETRIC = "biometric"
    LOCATION = "location"
    DEVICE = "device"
    CONTACT = "contact"
    IDENTITY = "identity"


NAMES: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    (Kind.BIOMETRIC, re.compile(r"voice_?(print|id|vector|embed)|speaker|face|embed|biometr|iris_")),
    (Kind.DEVICE, re.compile(
        r"device_?(id|serial|token|fingerprint)|imei|idfa|gaid|mac_?addr|serial_?(no|number)|advertising_?id"
        r"|android_?id|user_?agent|(^|_)ip(_|$)|ip_?addr"
    )),
    (Kind.LOCATION, re.compile(
        r"(^|_)(lat|lon|lng|latitude|longitude|geo|gps|location|coords?|coordinates?)(_|$)"
    )),
    (Kind.CONTACT, re.compile(
        r"e_?mail|phone|mobile|(^|_)tel(_|$)|address|street|zip_?code|post(al)?_?code"
    )),
    (Kind.IDENTITY, re.compile(
        r"(^|_)(first|last|full|sur|nick|given|family|user|display|child|parent)?_?name$|birth|(^|_)dob(_|$)"
        r"|(^|_)age$|gender|religion|passport|(^|_)ssn(_|$)|school|photo|avatar"
    )),
)  # fmt: skip
"""The first that fits counts."""

VECTORS = frozenset({128, 192, 256, 512})
"""Lengths of speaker and face embeddings in common models."""

SHAPES: tuple[tuple[Kind, str, re.Pattern[str]], ...] = (
    (Kind.LOCATION, "a pair of coordinates", re.compile(
        r"(?<![\d.])-?(?:[0-8]?\d|90)\.\d{4,}\s*[,;]\s*-?(?:1[0-7]\d|\d{1,2}|180)\.\d{4,}(?![\d.])"
    )),
    (Kind.DEVICE, "a hardware address", re.compile(
        r"(?<![\w:])(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}(?![\w:])"
    )),
    (Kind.CONTACT, "an e-mail address", re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}\.[\w.]{2,20}")),
    (Kind.CONTACT, "a telephone number", re.compile(
        r"(?<![\w+.-])(?:\+\d{8,15}|(?:\+?1[-. ])?\(?\d{3}\)?[-. ]\d{3}[-. ]\d{4})(?![\w.-])"
    )),
)  # fmt: skip


def kind_of_name(name: str) -> Kind | None:
    """What a column or field of this name holds, by its name; camelCase is read as snake_case."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().replace("-", "_")
    return next((kind for kind, pattern in NAMES if pattern.search(snake)), None)


def kinds_in(name: str, value: Any) -> Iterator[tuple[str, Kind, str]]:
    """What a value looks like: under which name (of a field inside of it), the kind, and what was seen."""
    value = _unpacked(value)
    if isinstance(value, dict):
        for key, inner in value.items():
            inside = f"{name}.{key}"
            if (kind := kind_of_name(str(key))) and inner not in (None, "", [], {}):
                yield inside, kind, "its name"
            yield from kinds_in(inside, inner)
    elif isinstance(value, (list, tuple)):
        yield from _of_list(name, value)
    elif isinstance(value, (bytes, memoryview)):
        yield from _of_bytes(name, bytes(value))
    elif isinstance(value, str):
        yield from ((name, kind, seen) for kind, seen, pattern in SHAPES if pattern.search(value))


def _unpacked(value: Any) -> Any:
    """What stands in a text of JSON."""
    if isinstance(value, str) and value[:1] in {"[", "{"}:
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _of_list(name: str, value: list[Any] | tuple[Any, ...]) -> Iterator[tuple[str, Kind, str]]:
    numbers = all(isinstance(each, (int, float)) and not isinstance(each, bool) for each in value)
    if numbers and len(value) in VECTORS:
        yield name, Kind.BIOMETRIC, f"a vector of {len(value)} numbers"
    elif numbers and len(value) == 2 and any(isinstance(each, float) for each in value):
        if abs(value[0]) <= 90 and abs(value[1]) <= 180:
            yield name, Kind.LOCATION, "a pair of coordinates"
    elif not numbers:
        for each in value[:50]:
            yield from kinds_in(name, each)


def _of_bytes(name: str, value: bytes) -> Iterator[tuple[str, Kind, str]]:
    near = re.search(r"speaker|voice|face|embed|vector", name.lower())
    if near and {len(value) // 4, len(value) // 8} & VECTORS and len(value) % 4 == 0:
        yield name, Kind.BIOMETRIC, f"{len(value)} bytes, as many as a vector of numbers has"
