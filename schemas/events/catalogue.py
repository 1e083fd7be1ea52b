"""The catalogue of published messages: every event on the bus and every document, by the name of its JSON Schema.

It does not know where the schema files are stored.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from schemas.content.annual_report import AnnualReportDocument
from schemas.events import facts, reports
from schemas.events.assessments import ASSESSED, DutyAssessed
from schemas.events.deliveries import ACKNOWLEDGED, DELIVERED, AlertAcknowledged, AlertAttempted
from schemas.events.envelope import Envelope
from schemas.events.reports import EvaluationRecorded, ReportSealed, SealedDocumentPart
from schemas.events.topics import DELIVERIES, FACTS, REFERENCES, REPORTS, VERDICTS, Topic
from schemas.plan.plan import Plan
from schemas.plan.registry import Registry

DIALECT = "https://json-schema.org/draft/2020-12/schema"


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageType:
    """A type of record on a topic: its name (a CloudEvents `type` or a kind of document) and the model of its data."""

    name: str
    topic: Topic
    data: type[BaseModel]
    is_event: bool = True

    @property
    def model(self) -> type[BaseModel]:
        """The model of the whole record: the envelope with its data, or the document itself."""
        return Envelope[self.data] if self.is_event else self.data  # type: ignore[name-defined]  # the type is created at run time


MESSAGES: tuple[MessageType, ...] = (
    *(MessageType(name=name, topic=FACTS, data=model) for name, model in facts.MODEL_OF.items()),
    MessageType(name=facts.ADOPTED, topic=FACTS, data=facts.PlanAdopted),
    MessageType(name=ASSESSED, topic=VERDICTS, data=DutyAssessed),
    MessageType(name=DELIVERED, topic=DELIVERIES, data=AlertAttempted),
    MessageType(name=ACKNOWLEDGED, topic=DELIVERIES, data=AlertAcknowledged),
    MessageType(name=reports.SEALED, topic=REPORTS, data=ReportSealed),
    MessageType(name=reports.SEALED_DOCUMENT, topic=REPORTS, data=SealedDocumentPart),
    MessageType(name=reports.EVALUATED, topic=REPORTS, data=EvaluationRecorded),
    MessageType(name="plan", topic=REFERENCES, data=Plan, is_event=False),
    MessageType(name="registry", topic=REFERENCES, data=Registry, is_event=False),
)


# Documents that are answered over HTTP and never lie on the bus, by the name of their schema.
DOCUMENTS: Mapping[str, type[BaseModel]] = {"annual-report": AnnualReportDocument}


def document_schema(name: str) -> dict[str, Any]:
    """Return the JSON Schema of a document that is none of the messages, as its readers see it."""
    model = DOCUMENTS[name]
    schema = model.model_json_schema(by_alias=True, schema_generator=_WithoutFieldTitles)
    summary = {"title": model.__name__, "description": model.__doc__}
    return {"$schema": DIALECT, "$id": _identify(name)} | schema | summary


def json_schema(message: MessageType) -> dict[str, Any]:
    """Return the JSON Schema of *message*. The same models always give the same schema."""
    schema = message.model.model_json_schema(by_alias=True, schema_generator=_WithoutFieldTitles)
    if message.is_event:
        # The envelope is one model for all events; only here is it known which `type` goes with which data.
        schema["properties"]["type"] = {"const": message.name}
        schema["required"] = ["specversion", *schema["required"]]
    summary = {"title": message.data.__name__, "description": message.data.__doc__}
    return {"$schema": DIALECT, "$id": identifier(message)} | schema | summary


def identifier(message: MessageType) -> str:
    """Return the stable `$id` of the schema of *message*: a URN, because the place of the file may change."""
    return _identify(message.name)


def _identify(name: str) -> str:
    return f"urn:dondoc:schema:{name}"


class _WithoutFieldTitles(GenerateJsonSchema):
    """Generates schemas without field titles, which would only repeat the names of the fields."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ANN401 - a core schema of pydantic's own
        """Whether to write a title; never."""
        del schema
        return False
