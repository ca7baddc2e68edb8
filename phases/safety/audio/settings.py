"""What the campaign file says under `audio`."""

from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from campaign.errors import ConfigurationError
from campaign.settings import Duration, OperationName, Settings
from campaign.target.jsonpath import compile_path
from phases.safety.cast.settings import Words


def _path(text: str) -> str:
    try:
        compile_path(text)
    except ConfigurationError as error:
        allowed = "a path such as $.text or $.result[0].transcript"
        raise PydanticCustomError("path", "is not {allowed}", {"allowed": allowed}) from error
    return text


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


Folders = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], BeforeValidator(_listed)]


class Transcript(Settings):
    """The words that a recording became: `json` is their place in the answer, `kept_in` the tables (or keys
    of Redis) where the service says that it keeps them; nowhere else may they be.
    """

    json_path: Annotated[str, AfterValidator(_path), Field(alias="json")]
    kept_in: Words = ()


class AudioSettings(Settings):
    """Recordings are deleted at once. `upload` is an operation with a multipart body, whose part with a
    `file` is the recording, or whose text is `{{ audio }}`: then we make one.

    Each recording is one that occurs once. It must be gone from the database, from Redis and from `folders`
    of this machine `within` this time after the answer, and after the client hung up.
    """

    upload: OperationName | None = None
    role: str = ""
    within: Annotated[Duration, Field(gt=0, le=600)] = 2.0
    folders: Folders = ()
    transcript: Transcript | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        for folder in self.folders:
            if not folder.startswith("/"):
                raise PydanticCustomError("folder", "folders are absolute paths of this machine")
        return self
