"""Where undo records and locks are kept on this machine. Standard library only; asked by every command."""

from __future__ import annotations

import os
from collections.abc import Mapping


def state_folder(environ: Mapping[str, str]) -> str:
    """The folder of this account: $CAMPAIGN_STATE_HOME, else $XDG_STATE_HOME/campaign, else
    ~/.local/state/campaign.
    """
    if own := environ.get("CAMPAIGN_STATE_HOME"):
        return os.path.abspath(own)  # noqa: PTH100 - pathlib would cost every command its import
    home = environ.get("XDG_STATE_HOME", "")
    if not os.path.isabs(home):  # noqa: PTH117 - the standard says to ignore a relative one
        home = os.path.expanduser("~/.local/state")  # noqa: PTH111
    return os.path.join(home, "campaign")  # noqa: PTH118


def open_folder(state: str) -> str:
    """The folder of the faults that are not undone yet, below a state folder."""
    return os.path.join(state, "open")  # noqa: PTH118


def anything_open(state: str) -> bool:
    """Whether a fault may not be undone; takes a few microseconds."""
    try:
        return any(name.endswith(".json") for name in os.listdir(open_folder(state)))  # noqa: PTH208
    except OSError:
        return False


def usable_state(state: str, *, instead: str) -> tuple[str, str]:
    """The state folder, made if need be, and ""; where it cannot be written to, `instead` and why.

    Raises OSError where neither can be written to.
    """
    why = _unwritable(state)
    if not why:
        return state, ""
    os.makedirs(open_folder(instead), exist_ok=True)  # noqa: PTH103
    return instead, f"{state} cannot be written to ({why}), so the undo records are in {instead}"


def _unwritable(state: str) -> str:
    folder = open_folder(state)
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)  # noqa: PTH103
    except OSError as error:
        return error.strerror or str(error)
    return "" if os.access(folder, os.W_OK | os.X_OK) else "no permission"


def lingering_file(state: str, host: str, port: int) -> str:
    """Where the guardian of a dead run says that it still holds a route open at that address."""
    return os.path.join(state, "routes", f"{host.replace(':', '_')}_{port}")  # noqa: PTH118
