"""The CloudEvents 1.0 envelope in JSON format, with intake's extension attributes (contract section 3)."""

from typing import Annotated, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, StringConstraints

from schemas.plan.values import Instant

Data = TypeVar("Data", bound=BaseModel)
AttributeText = Annotated[str, StringConstraints(min_length=1, max_length=1024)]


class Envelope(BaseModel, Generic[Data]):
    """A CloudEvent. (`source`, `id`) is its identity; `subject` is the id of the agency that it is about."""

    model_config = ConfigDict(frozen=True, extra="allow")

    specversion: Literal["1.0"] = "1.0"
    id: AttributeText
    source: AttributeText
    type: AttributeText
    subject: AttributeText | None = None
    time: Instant | None = None
    datacontenttype: Literal["application/json"] = "application/json"
    dataschema: str | None = None
    receivedtime: Instant | None = None
    receiptid: str | None = None
    dispatchproof: Literal["unproven"] | None = None
    data: Data
