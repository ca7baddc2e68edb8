"""What users have in their hands: the built-in devices, and the headers that a device sends.

Bandwidths are the throttling presets that Lighthouse publishes (GoogleChrome/lighthouse, docs/throttling.md):
mobile is its "slow 4G", 1.6 Mbit/s down and 750 kbit/s up; desktop its "dense 4G", 10 Mbit/s both ways. They
are averages to start from; a campaign file may say better ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from campaign.target.spec import DeviceSpec, OperationSpec

_MOBILE_AGENT = (
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/131.0.0.0 Mobile Safari/537.36"
)
_DESKTOP_AGENT = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
)

BUILT_IN: Mapping[str, DeviceSpec] = {
    "desktop": DeviceSpec(
        down=1_250_000, up=1_250_000, headers={"User-Agent": _DESKTOP_AGENT, "Sec-CH-UA-Mobile": "?0"}
    ),
    "mobile": DeviceSpec(
        down=200_000, up=93_750, headers={"User-Agent": _MOBILE_AGENT, "Sec-CH-UA-Mobile": "?1"}
    ),
}
"""Bytes per second, and headers as the browsers of such devices send them."""


def device_named(name: str, devices: Mapping[str, DeviceSpec]) -> DeviceSpec | None:
    """The device of that name, the campaign's own before a built-in one; None for no name."""
    if not name:
        return None
    return devices[name] if name in devices else BUILT_IN[name]


def from_device(operation: OperationSpec, device: DeviceSpec | None) -> OperationSpec:
    """The operation as this device sends it; headers that the operation names itself win."""
    if device is None or not device.headers:
        return operation
    return replace(operation, headers={**device.headers, **operation.headers})
