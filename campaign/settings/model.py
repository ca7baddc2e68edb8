"""The model that every phase's settings extend."""

from collections.abc import Mapping
from typing import Self

from pydantic import BaseModel, ConfigDict

from campaign.settings.leftout import LeftOut


class Settings(BaseModel):
    """What the campaign file may say of a phase: unknown keys are mistakes, and a value never changes.

    Fields use the types of `campaign.settings` where a quantity or a name of the vocabulary is meant.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    def quick(self) -> Self:
        """The same settings for a short look (`--quick`): smaller where a phase says how, else unchanged."""
        return self

    def urls(self) -> Mapping[str, str]:
        """Further URLs that the phase sends requests to, besides the target's, by the key of the settings
        that holds each; the guard is asked first.
        """
        return {}

    def without(self, left_out: LeftOut) -> Self:  # noqa: ARG002 - most settings speak of no operation
        """The same settings for a run that leaves something out (`--tags`), where a phase says how.

        Raises ConfigurationError where nothing would be left to do.
        """
        return self
