"""What the campaign file says of the safety phase: who there is, what they own, and a section per part."""

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator

from campaign.settings import Settings
from phases.safety.audio.settings import AudioSettings
from phases.safety.cast.settings import CastSettings
from phases.safety.consent.settings import ConsentSettings
from phases.safety.content.settings import ContentSettings
from phases.safety.crowd.settings import CrowdSettings
from phases.safety.deletion.settings import DeletionSettings
from phases.safety.isolation.settings import IsolationSettings
from phases.safety.parties.settings import PartiesSettings
from phases.safety.quotas.settings import QuotasSettings
from phases.safety.retention.settings import RetentionSettings
from phases.safety.sessions.settings import SessionsSettings
from phases.safety.transport.settings import TransportSettings

PartName = Literal[
    "isolation",
    "crowd",
    "sessions",
    "consent",
    "deletion",
    "retention",
    "transport",
    "audio",
    "parties",
    "content",
    "quotas",
]


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


class SafetySettings(CastSettings):
    """The safety phase: roles, resources, who may do what, and a section per part. `skip` leaves parts out;
    `openapi` is the path of the target's document, whose routes are held against the operations by `campaign
    check`.
    """

    skip: Annotated[tuple[PartName, ...], BeforeValidator(_listed)] = ()
    openapi: str = ""
    isolation: IsolationSettings = IsolationSettings()
    sessions: SessionsSettings = SessionsSettings()
    transport: TransportSettings = TransportSettings()
    consent: ConsentSettings = ConsentSettings()
    crowd: CrowdSettings = CrowdSettings()
    content: ContentSettings = ContentSettings()
    audio: AudioSettings = AudioSettings()
    parties: PartiesSettings = PartiesSettings()
    quotas: QuotasSettings = QuotasSettings()
    deletion: DeletionSettings = DeletionSettings()
    retention: RetentionSettings = RetentionSettings()

    def quick(self) -> Self:
        """Every part in its short form."""
        changes = {name: value.quick() for name, value in self if isinstance(value, Settings)}
        shorter = self.model_copy(update=changes)
        shorter.model_fields_set.intersection_update(self.model_fields_set)  # nobody has named the others
        return shorter
