"""What the campaign file says under `crowd`."""

from typing import Annotated, Self

from pydantic import BeforeValidator, Field

from campaign.settings import Duration, Settings, Share, UserName


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


class CrowdSettings(Settings):
    """Many children at once. `kinds` are kinds of users of the campaign file whose operations send
    `{{ canary }}`, each with an account of its own.

    Half of `hold` they say what they would say; in the other half all say the same at the same moment, so
    that keys of caches collide. `disconnects` is the share of requests whose user hangs up in mid-answer:
    that is how answers get into the wrong hands.
    """

    kinds: Annotated[tuple[UserName, ...], BeforeValidator(_listed)] = ()
    users: Annotated[int, Field(ge=2, le=1000)] = 20
    hold: Annotated[Duration, Field(gt=0, le=3600)] = 20.0
    disconnects: Annotated[Share, Field(ge=0, le=0.5)] = 0.02

    def quick(self) -> Self:
        """Shorter."""
        return self.model_copy(update={"hold": min(self.hold, 5.0)})
