"""What every event is: a frozen pydantic model that knows its CloudEvents type."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

Identifier = Annotated[str, Field(min_length=1, max_length=256)]
"""A request, entity or deployment id: any non-empty text of at most 256 characters."""

ModelName = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
"""A model or an ensemble: safe in a topic key, a Bento tag and a URL."""

Utc = AwareDatetime
"""A point in time as ISO 8601 with its offset; a time without one is refused."""

FeatureValue = bool | int | float | str | None
"""One feature as it stands in JSON."""


class Part(BaseModel):
    """A frozen value inside an event. Unknown fields are ignored; NaN and infinity are refused."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class Event(Part):
    """The data of one CloudEvent. `type` ends in the version; a changed meaning is a new version."""

    type: ClassVar[str]

    attempt: int = Field(default=1, ge=1, description="1, and one more for each replay of a dead letter.")

    def to_json(self) -> bytes:
        """The data as UTF-8 JSON, straight from the pydantic serializer."""
        return self.__pydantic_serializer__.to_json(self)
