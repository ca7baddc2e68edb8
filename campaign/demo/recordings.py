"""What a child says into the microphone: a recording becomes words, and is gone when it has served that.

The ear is a toy, as all of the demo: it tells how long a sound is, not what was said.
"""

import io
import wave
from dataclasses import dataclass, replace

from sqlalchemy import insert

from campaign.demo.conversations import Conversations
from campaign.demo.database import Database
from campaign.demo.defects import PLAINTEXT_AUDIO_KEPT
from campaign.demo.now import now_ms
from campaign.demo.problems import InvalidError
from campaign.demo.schema import recordings
from campaign.demo.tokens import new_id
from campaign.demo.turns import Turn, Wanted


@dataclass(frozen=True, slots=True)
class Heard:
    """What was heard, and the turn that it became."""

    heard: str
    turn: Turn


class Recordings:
    """Hears recordings; nothing of them is stored but the words."""

    def __init__(
        self, database: Database, conversations: Conversations, *, defects: frozenset[str] = frozenset()
    ) -> None:
        self._database = database
        self._conversations = conversations
        self._keeps = PLAINTEXT_AUDIO_KEPT in defects

    def hear(self, wanted: Wanted, audio: bytes) -> Heard:
        """The turn that the recording is; raises InvalidError where it is no WAV file."""
        words = words_in(audio)
        turn = self._conversations.take_turn(replace(wanted, words=words))
        if self._keeps:
            self._keep(wanted.child_id, audio)
        return Heard(words, turn)

    def _keep(self, child_id: str, audio: bytes) -> None:
        """The defect `plaintext-audio-kept`: for whoever wants to make the ear better one day."""
        row = {"id": new_id(), "child_id": child_id, "audio": audio, "created_at_ms": now_ms()}
        with self._database.writing() as connection:
            connection.execute(insert(recordings), row)


def words_in(audio: bytes) -> str:
    """What is heard in a WAV file; raises InvalidError."""
    try:
        with wave.open(io.BytesIO(audio)) as sound:
            return f"(a sound of {sound.getnframes()} samples, {sound.getframerate()} a second)"
    except (wave.Error, EOFError) as error:
        raise InvalidError("send a recording as a WAV file in the part `audio`") from error
