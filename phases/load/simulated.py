"""Which networks were simulated, and with which figures: a reader must never take them for real ones."""

from __future__ import annotations

from typing import Any

from campaign.target.devices import device_named
from campaign.target.spec import DeviceSpec, UserSpec, Vocabulary


def simulated(vocabulary: Vocabulary) -> dict[str, Any]:
    """What users of this campaign have of simulated regions and devices, as plain data; {} for nothing.

    `regions` maps a name to the added round trip in seconds, `devices` to bytes per second (None: no limit)
    and headers, `users` the kinds to their regions (with weights) and device.
    """
    users = {name: user for name, user in vocabulary.users.items() if user.regions or user.device}
    if not users:
        return {}
    regions = {region for user in users.values() for region in user.regions}
    devices = {user.device for user in users.values() if user.device}
    return {
        "regions": {name: vocabulary.regions[name] for name in sorted(regions)},
        "devices": {name: _device(device_named(name, vocabulary.devices)) for name in sorted(devices)},
        "users": {name: _user(user) for name, user in users.items()},
    }


def told(networks: dict[str, Any]) -> str:
    """The same in a sentence."""
    regions = [f"region {name} (+{trip * 1e3:g} ms)" for name, trip in networks["regions"].items()]
    devices = [
        f"device {name} ({_bandwidth(each['down'])} down, {_bandwidth(each['up'])} up)"
        for name, each in networks["devices"].items()
    ]
    return f"Simulated, not measured from there: {', '.join([*regions, *devices])}."


def _bandwidth(bytes_per_second: float | None) -> str:
    return "any bandwidth" if bytes_per_second is None else f"{bytes_per_second / 1000:g} KB/s"


def _device(device: DeviceSpec | None) -> dict[str, Any]:
    device = device or DeviceSpec()
    return {"down": device.down or None, "up": device.up or None, "headers": dict(device.headers)}


def _user(user: UserSpec) -> dict[str, Any]:
    return {"regions": dict(user.regions), "device": user.device or None}
