"""The JSON Schemas of what intake accepts: the events of each type, their attributes, and the published facts as data.

The schemas refuse what intake refuses for its form, as far as JSON Schema can express it. It cannot express what only
the plan and the registry know, nor the bound of a figure written as a decimal string, nor that a size must not be
written as 1.0, nor how deep an event may be nested, nor that a name stands once in an object.
"""

from typing import Any

from pydantic.json_schema import GenerateJsonSchema
from pydantic_core.core_schema import DateSchema, DatetimeSchema, StringSchema

from schemas.events.facts import MODEL_OF, Attachment, Content, ReportSubmitted
from services.intake.cloudevents.schema_errors import ITEMS_MAX
from services.intake.core import attachment_rules as rules
from services.intake.core import cloud_event

Schema = dict[str, Any]

_DAY = r"(?!0000)[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
_BLANK = r"\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_URI_TEXT = rf'([^ "<>\\^`{{|}}%{cloud_event.FORBIDDEN_CHARACTERS}]|%[0-9A-Fa-f]{{2}})'
_BASE64 = r"^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"

# Matches every text that is not an attribute's name.
_ATTRIBUTE = "^(?!data_base64$)([\\s\\S]*[^a-z0-9][\\s\\S]*)?$"


class _FactSchemas(GenerateJsonSchema):
    """Generates the published schemas, with rules that pydantic enforces but leaves out of its schemas."""

    def str_schema(self, schema: StringSchema) -> Schema:
        """Require of a stripped text that it does not consist of blanks alone."""
        generated = super().str_schema(schema)
        return generated | {"pattern": f"[^{_BLANK}]"} if schema.get("strip_whitespace") else generated

    def date_schema(self, schema: DateSchema) -> Schema:
        """Limit the year to 1000 to 2999."""
        return super().date_schema(schema) | {"pattern": "^[12][0-9]{3}-[0-9]{2}-[0-9]{2}$"}

    def datetime_schema(self, schema: DatetimeSchema) -> Schema:
        """Require of an instant its offset from UTC."""
        return super().datetime_schema(schema) | {"pattern": f"^{_DAY}[Tt ]{_CLOCK}$"}


def reference(name: str) -> dict[str, str]:
    """Return the JSON reference to a component of the OpenAPI document."""
    return {"$ref": f"#/components/schemas/{name}"}


def components() -> dict[str, object]:
    """Return the schemas by name: of any event, of an event of each type, of each fact and of the parts of facts."""
    by_type = {event_type: f"{model.__name__}Event" for event_type, model in MODEL_OF.items()}
    return {
        "Event": {
            "oneOf": [reference(name) for name in by_type.values()],
            "discriminator": {
                "propertyName": "type",
                "mapping": {event_type: reference(name)["$ref"] for event_type, name in by_type.items()},
            },
        },
        **{by_type[event_type]: _event_schema(event_type, model.__name__) for event_type, model in MODEL_OF.items()},
        **_fact_schemas(),
    }


def _fact_schemas() -> dict[str, object]:
    schemas: dict[str, Any] = {}
    for model in MODEL_OF.values():
        schema = model.model_json_schema(
            by_alias=True, ref_template="#/components/schemas/{model}", schema_generator=_FactSchemas
        )
        schemas.update(schema.pop("$defs", {}))
        schemas[model.__name__] = schema
    _limit_items(schemas)
    return schemas


def _limit_items(schemas: dict[str, Any]) -> None:
    """Add intake's bounds on a report to its schemas: the published ones of version 1 must not become stricter."""
    content, report = schemas[Content.__name__], schemas[ReportSubmitted.__name__]
    for name in ("sections", "indicators"):
        content["properties"][name]["maxProperties"] = ITEMS_MAX
    content["properties"]["parts"]["maxItems"] = ITEMS_MAX
    report["properties"]["attachments"]["maxItems"] = ITEMS_MAX
    attachment = schemas[Attachment.__name__]["properties"]
    attachment["name"] |= {"maxLength": rules.NAME_MAX, "allOf": [{"pattern": rules.NAME_PATTERN}]}
    attachment["media_type"]["maxLength"] = rules.MEDIA_TYPE_MAX
    attachment["size"]["maximum"] = rules.SIZE_MAX
    attachment["url"]["anyOf"][0] |= {"maxLength": rules.URL_MAX, "pattern": rules.URL_PATTERN}


def _event_schema(event_type: str, fact: str) -> dict[str, object]:
    return {
        "type": "object",
        "required": list(cloud_event.REQUIRED_ATTRIBUTES),
        "properties": {
            **ATTRIBUTES,
            "type": {"const": event_type},
            "data": reference(fact),
            "data_base64": _base64_schema(fact),
        },
        "additionalProperties": _EXTENSION_ATTRIBUTE,
        "patternProperties": {_ATTRIBUTE: {"type": "null"}},
        "oneOf": [
            {"required": ["data"], "properties": {"data_base64": {"type": "null"}}},
            {"required": ["data_base64"], "properties": {"data_base64": {"type": "string"}, "data": False}},
        ],
    }


def _base64_schema(fact: str) -> dict[str, object]:
    return {
        "type": ["string", "null"],
        "pattern": _BASE64,
        "contentEncoding": "base64",
        "contentMediaType": "application/json",
        "contentSchema": reference(fact),
        "description": "The data in base64, instead of `data`.",
    }


def _text_schema(**limits: object) -> dict[str, object]:
    """Return the schema of an attribute's text: short, and without control characters unless *limits* set a pattern."""
    defaults = {
        "minLength": 1,
        "maxLength": cloud_event.TEXT_MAX,
        "pattern": f"^[^{cloud_event.FORBIDDEN_CHARACTERS}]*$",
    }
    return {"type": "string", **defaults, **limits}


def _nullable(schema: dict[str, object]) -> dict[str, object]:
    """Return *schema* extended by null, which the JSON format treats as absent."""
    return {**schema, "type": [schema["type"], "null"]}


_RESERVED_ATTRIBUTE: dict[str, object] = {"description": "Intake's to say: what a sender writes here is dropped."}
_EXTENSION_ATTRIBUTE: Schema = {
    "anyOf": [
        _text_schema(minLength=0),
        {"type": "integer", "minimum": cloud_event.INTEGER_MIN, "maximum": cloud_event.INTEGER_MAX},
        {"type": ["boolean", "null"]},
    ],
    "description": "An extension attribute.",
}

# The attributes that CloudEvents and intake define, except `type`.
ATTRIBUTES: dict[str, dict[str, object]] = {
    "specversion": {"const": "1.0"},
    "id": _text_schema(description="With `source`, the identity of the event."),
    "source": _text_schema(
        format="iri-reference",
        pattern=f"^{_URI_TEXT}*$",
        description="A URI-reference (RFC 3986); letters beyond ASCII may stand as they are (RFC 3987).",
    ),
    "subject": _nullable(_text_schema(description="The agency, by id or alias; filled in where it is absent.")),
    "time": _nullable(
        _text_schema(format="date-time", pattern=f"^{_DAY}[Tt]{_CLOCK}$", description="When it happened.")
    ),
    "datacontenttype": _nullable(
        _text_schema(
            pattern="^[Aa][Pp][Pp][Ll][Ii][Cc][Aa][Tt][Ii][Oo][Nn]/[Jj][Ss][Oo][Nn] *"
            f"(;[^{cloud_event.FORBIDDEN_CHARACTERS}]*)?$"
        )
    ),
    "dataschema": _nullable(
        _text_schema(
            format="iri",
            pattern=f"^[A-Za-z][A-Za-z0-9+.-]*:((?!#){_URI_TEXT})*$",
            description="An absolute URI without a fragment (RFC 3986 section 4.3).",
        )
    ),
    **dict.fromkeys(sorted(cloud_event.RESERVED_ATTRIBUTES), _RESERVED_ATTRIBUTE),
}
