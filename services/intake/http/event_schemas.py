"""The JSON Schemas of what intake takes: the events of each type, their attributes, the published facts inside.

They refuse what intake refuses for its form, as far as a schema can say it. What only the plan and the registry know, a
figure in decimals beyond its bound, or a whole number with a point as a size, no schema tells.
"""

from typing import Any

from pydantic.json_schema import GenerateJsonSchema
from pydantic_core.core_schema import DateSchema, DatetimeSchema, StringSchema

from schemas.events.facts import MODEL_OF
from services.intake.core import cloud_event

Schema = dict[str, Any]

_DAY = r"(?!0000)[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
_BLANK = r"\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_URI_TEXT = rf'([^ "<>\\^`{{|}}%{cloud_event.FORBIDDEN_CHARACTERS}]|%[0-9A-Fa-f]{{2}})'
_BASE64 = r"^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"
_ATTRIBUTE = "^(?!data_base64$)([\\s\\S]*[^a-z0-9][\\s\\S]*)?$"
"""What is no attribute's name."""


class _FactSchemas(GenerateJsonSchema):
    """The published schemas, with what the models ask for beyond them."""

    def str_schema(self, schema: StringSchema) -> Schema:
        """Say that a text which must say something is not of blanks alone."""
        written = super().str_schema(schema)
        return written | {"pattern": f"[^{_BLANK}]"} if schema.get("strip_whitespace") else written

    def date_schema(self, schema: DateSchema) -> Schema:
        """Say which years are within reach."""
        return super().date_schema(schema) | {"pattern": "^[12][0-9]{3}-[0-9]{2}-[0-9]{2}$"}

    def datetime_schema(self, schema: DatetimeSchema) -> Schema:
        """Say that an instant has its offset."""
        return super().datetime_schema(schema) | {"pattern": f"^{_DAY}[Tt ]{_CLOCK}$"}


def reference(name: str) -> dict[str, str]:
    """Return the reference to a component of the document."""
    return {"$ref": f"#/components/schemas/{name}"}


def components() -> dict[str, object]:
    """Return the schema of an event, of an event of each type, and of each fact with its parts, by name."""
    by_type = {kind: f"{model.__name__}Event" for kind, model in MODEL_OF.items()}
    return {
        "Event": {
            "oneOf": [reference(name) for name in by_type.values()],
            "discriminator": {
                "propertyName": "type",
                "mapping": {kind: reference(name)["$ref"] for kind, name in by_type.items()},
            },
        },
        **{by_type[kind]: _event_schema(kind, model.__name__) for kind, model in MODEL_OF.items()},
        **_fact_schemas(),
    }


def _fact_schemas() -> dict[str, object]:
    schemas: dict[str, object] = {}
    for model in MODEL_OF.values():
        schema = model.model_json_schema(
            by_alias=True, ref_template="#/components/schemas/{model}", schema_generator=_FactSchemas
        )
        schemas.update(schema.pop("$defs", {}))
        schemas[model.__name__] = schema
    return schemas


def _event_schema(kind: str, fact: str) -> dict[str, object]:
    return {
        "type": "object",
        "required": list(cloud_event.REQUIRED_ATTRIBUTES),
        "properties": {**ATTRIBUTES, "type": {"const": kind}, "data": reference(fact), "data_base64": _base64_schema(fact)},
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
    """Return the schema of a text: short, and without controls or noncharacters unless *limits* give its pattern."""
    usual = {"minLength": 1, "maxLength": cloud_event.TEXT_MAX, "pattern": f"^[^{cloud_event.FORBIDDEN_CHARACTERS}]*$"}
    return {"type": "string", **usual, **limits}


def _nullable(schema: dict[str, object]) -> dict[str, object]:
    """Return *schema* for an attribute that may be null, which the JSON format takes as not there."""
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
ATTRIBUTES: dict[str, dict[str, object]] = {
    "specversion": {"const": "1.0"},
    "id": _text_schema(description="With `source`, the identity of the event."),
    "source": _text_schema(
        format="iri-reference",
        pattern=f"^{_URI_TEXT}*$",
        description="A URI-reference (RFC 3986); letters beyond ASCII may stand as they are (RFC 3987).",
    ),
    "subject": _nullable(_text_schema(description="The agency, by id or alias; filled in where it is absent.")),
    "time": _nullable(_text_schema(format="date-time", pattern=f"^{_DAY}[Tt]{_CLOCK}$", description="When it happened.")),
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
"""The attributes that CloudEvents and intake name, but for `type`."""
