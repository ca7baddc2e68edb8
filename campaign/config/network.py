"""Field types for how users are connected: the ways to the target, the regions and devices of users."""

import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, ValidationInfo, WithJsonSchema

from campaign.config.part import Part
from campaign.config.texts import HeaderName, Line, wrong
from campaign.errors import ConfigurationError
from campaign.settings import Duration, unknown_name, write_size
from campaign.target.devices import BUILT_IN
from campaign.target.proxy import ALLOWED, read_proxy
from campaign.target.spec import DeviceSpec
from campaign.units import UnitError, parse_size

LONGEST_SOCKET = 107
"""Bytes of a Unix socket's path on Linux (unix(7))."""

MOST_CONNECTIONS = 100_000

MOST_WEIGHT = 1e9

_BITS = {"kbit/s": 125.0, "Mbit/s": 125_000.0, "Gbit/s": 125_000_000.0}
_BIT_RATE = re.compile(r"\s*(\d+(?:\.\d+)?|\.\d+)\s*([kMG]bit/s)\s*")
_BANDWIDTH = "a bandwidth such as 250KB/s or 2Mbit/s (at least 1B/s)"
_OURS = frozenset({"host", "content-length", "transfer-encoding", "connection"})


def _socket(text: str, info: ValidationInfo) -> str:
    """The absolute path; relative ones begin at the campaign file's folder. The server may come later."""
    path = str(Path((info.context or {}).get("folder", ".")).absolute() / text)
    if not text or "\0" in text or len(path.encode()) > LONGEST_SOCKET:
        raise wrong(f"the path of a Unix socket, at most {LONGEST_SOCKET} bytes with its folders")
    return path


def _proxy(text: str) -> str:
    try:
        read_proxy(text)
    except ConfigurationError as error:
        raise wrong(ALLOWED, found="a proxy that cannot be used") from error
    return text


def _bandwidth(value: Any) -> float:
    text = str(value)
    match = _BIT_RATE.fullmatch(text)
    try:
        size, slash, second = text.rpartition("/")
        rate = float(match[1]) * _BITS[match[2]] if match else float(parse_size(size))
    except UnitError as error:
        raise wrong(_BANDWIDTH) from error
    if (not match and (not slash or second.strip() != "s")) or not 1 <= rate <= 2**50:
        raise wrong(_BANDWIDTH)
    return rate


def _known_region(name: str, info: ValidationInfo) -> str:
    names = (info.context or {}).get("regions")
    if names is not None and name not in names:
        raise unknown_name("a region", names)
    return name


def _known_device(name: str, info: ValidationInfo) -> str:
    names = (info.context or {}).get("devices")
    if names is not None and name not in {*names, *BUILT_IN}:
        raise unknown_name("a device", [*names, *BUILT_IN])
    return name


def _one_region(value: Any) -> Any:
    return {value: 1.0} if isinstance(value, str) else value


def _some_weight(regions: dict[str, float]) -> dict[str, float]:
    if not any(regions.values()):
        raise wrong("a weight above 0 for at least one region", found="only weights of 0")
    return regions


def _free_header(name: str) -> str:
    if name.lower() in _OURS:
        raise wrong("a header that a device may set", found=f"{name}, which belongs to the request")
    return name


SocketPath = Annotated[str, AfterValidator(_socket)]
ProxyUrl = Annotated[str, AfterValidator(_proxy)]
Bandwidth = Annotated[
    float,
    BeforeValidator(_bandwidth),
    PlainSerializer(lambda rate: f"{write_size(rate)}/s", return_type=str),
    WithJsonSchema({"type": "string", "examples": ["250KB/s", "2Mbit/s"]}),
]
"""Bytes per second."""

RegionName = Annotated[str, AfterValidator(_known_region)]
DeviceName = Annotated[str, AfterValidator(_known_device)]
RegionWeight = Annotated[float, Field(ge=0, le=MOST_WEIGHT)]
Regions = Annotated[
    dict[RegionName, RegionWeight],
    BeforeValidator(_one_region),
    AfterValidator(_some_weight),
    WithJsonSchema({"type": ["string", "object"], "additionalProperties": {"type": "number", "minimum": 0}}),
]
"""A region, or regions and their weights."""

RoundTrip = Annotated[Duration, Field(le=10)]
"""Seconds that a region adds to each round trip."""


class DeviceModel(Part):
    """What users have in their hands."""

    down: Bandwidth | None = None
    up: Bandwidth | None = None
    headers: dict[Annotated[HeaderName, AfterValidator(_free_header)], Line] = Field(default_factory=dict)

    def spec(self) -> DeviceSpec:
        """The same as plain data."""
        return DeviceSpec(self.down or 0.0, self.up or 0.0, self.headers)
