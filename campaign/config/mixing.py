"""Ways to the target that do not go together: a simulated network lies before one user's own connections."""

from __future__ import annotations

from campaign.config.document import Document
from campaign.target.devices import device_named
from campaign.target.spec import TargetSpec, UserSpec, Vocabulary


def note_mixed_networks(document: Document, target: TargetSpec, *, vocabulary: Vocabulary) -> None:
    """Keep a mistake where users with a simulated network share connections."""
    most = target.connection.most
    far = [name for name, user in vocabulary.users.items() if _is_far(user, vocabulary)]
    if far and most:
        allowed = f"no limit on connections while users have a region or a device's bandwidth ({far[0]})"
        document.note(("target", "connections"), str(most), allowed=allowed)


def _is_far(user: UserSpec, vocabulary: Vocabulary) -> bool:
    device = device_named(user.device, vocabulary.devices)
    return bool(user.regions) or (device is not None and bool(device.down or device.up))
