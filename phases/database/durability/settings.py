"""What the campaign file says under `durability`."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from campaign.settings import Settings
from phases.database.durability.meanings import SETTINGS
from phases.database.mistakes import known

MOST_ACCEPTED = 30


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _said(value: object) -> object:
    """The setting as the database says it: YAML reads a bare `off` as false."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value) if isinstance(value, int) else value


Word = Annotated[str, BeforeValidator(_said), StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,40}$")]
ACCEPTABLE = (*SETTINGS, "unlogged")
SettingName = Annotated[str, BeforeValidator(known("a setting", ACCEPTABLE)), StringConstraints(min_length=1)]
SessionSetting = Literal["synchronous_commit", "synchronous", "journal_mode"]


class DurabilitySettings(Settings):
    """The settings that decide whether a committed write survives a crash.

    `accept` names settings (or "unlogged" for tables that a crash empties) that are weak on purpose: they are
    told and not held against the database. `session` is what the service sets on its own connections, which
    nobody else can see: `{synchronous: normal}`.
    """

    accept: Annotated[tuple[SettingName, ...], BeforeValidator(_listed), Field(max_length=MOST_ACCEPTED)] = ()
    session: dict[SessionSetting, Word] = Field(default_factory=dict)
