"""Which campaign file is meant: a path, the name of a shipped one, or the one that is there."""

from __future__ import annotations

from importlib.resources.abc import Traversable
from pathlib import Path

from campaign.errors import ConfigurationError
from campaign.resources import folder

DEFAULT = "teddy-bear"
HERE = "campaign.yaml"


def shipped() -> dict[str, Traversable]:
    """The ready campaign files by name."""
    found = {each.name: each for each in folder("configs").iterdir()}
    return {name.removesuffix(".yaml"): found[name] for name in sorted(found) if name.endswith(".yaml")}


def campaign_file(named: str | None) -> Traversable:
    """The campaign file that `named` means: a Path, or a member of a zip. Raises ConfigurationError.

    None: campaign.yaml in the current folder, else the built-in default.
    """
    if named is None:
        here = Path(HERE)
        return here if here.is_file() else shipped()[DEFAULT]
    path = Path(named)
    if path.is_file():
        return path
    if named in shipped():
        return shipped()[named]
    what = "is a folder" if path.is_dir() else "there is no such file, and no shipped campaign of that name"
    raise ConfigurationError(f"{named}: {what}\n  allowed  a path, or one of: {', '.join(shipped())}")
