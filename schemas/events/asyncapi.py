"""Describe the bus as an AsyncAPI 3.0 document: topics as channels, records as messages with schema and example."""

from collections.abc import Mapping
from typing import Any

from schemas.events.catalogue import MESSAGES, MessageType
from schemas.events.topics import DEFAULT_PARTITIONS, DUTIES, TOPICS, Topic

VERSION = "3.0.0"
CLOUDEVENT = "application/cloudevents+json"
JSON_SCHEMA = "application/schema+json;version=draft-2020-12"
KEYS = {
    "dondoc.facts.v1": "the id of the agency whose duty it is",
    "dondoc.verdicts.v1": "agency id",
    "dondoc.duties.v1": "plan|agency|obligation|period",
    "dondoc.deliveries.v1": "agency id",
    "dondoc.reports.v1": "PLAN|PERIOD",
    "dondoc.references.v1": "plan:ID@VERSION or registry:ID@VERSION",
}
_STATE = "duty-state"


def document(schema_places: Mapping[str, str], examples: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document. *schema_places* has the URL of each schema by message name, *examples* has examples."""
    return {
        "asyncapi": VERSION,
        "id": "urn:dondoc:bus",
        "info": {
            "title": "Đôn Đốc: the bus",
            "version": "1.0.0",
            "description": "Facts, verdicts, deliveries, sealed reports and reference documents on Kafka. Facts come "
            "in over HTTP at intake, the only one to write them; consumers read committed records only.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": CLOUDEVENT,
        "channels": {_channel_name(topic): _channel(topic) for topic in TOPICS},
        "operations": {f"tell-{_channel_name(one)}": _operation(one) for one in TOPICS if one is not DUTIES},
        "components": {
            "messages": {
                **{one.name: _message(one, schema_places[one.name], examples.get(one.name)) for one in MESSAGES},
                _STATE: _state(),
            }
        },
    }


def _channel_name(topic: Topic) -> str:
    return topic.name.split(".")[1]


def _names(topic: Topic) -> list[str]:
    return [one.name for one in MESSAGES if one.topic is topic] or [_STATE]


def _channel(topic: Topic) -> dict[str, Any]:
    config = dict(topic.config)
    retention = {"retention.ms": int(config["retention.ms"])} if "retention.ms" in config else {}
    return {
        "address": topic.name,
        "description": f"{topic.description[:1].upper()}{topic.description[1:]}.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in _names(topic)},
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": DEFAULT_PARTITIONS if topic.is_partitioned else 1,
                "topicConfiguration": {"cleanup.policy": [config["cleanup.policy"]], **retention},
            }
        },
    }


def _operation(topic: Topic) -> dict[str, Any]:
    name = _channel_name(topic)
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{name}"},
        "messages": [{"$ref": f"#/channels/{name}/messages/{one}"} for one in _names(topic)],
    }


def _message(message: MessageType, place: str, example: object) -> dict[str, Any]:
    shown = {"examples": [{"payload": example}]} if example is not None else {}
    return {
        "name": message.name,
        "summary": " ".join((message.data.__doc__ or "").split("\n\n")[0].split()),
        "contentType": CLOUDEVENT if message.is_event else "application/json",
        "payload": {"schemaFormat": JSON_SCHEMA, "schema": {"$ref": place}},
        "bindings": {"kafka": {"key": {"type": "string", "description": KEYS[message.topic.name]}}},
        **shown,
    }


def _state() -> dict[str, Any]:
    return {
        "name": _STATE,
        "summary": "What rules knows of a duty: its own state, for its own use. Nobody else may rely on its form.",
        "contentType": "application/json",
        "bindings": {"kafka": {"key": {"type": "string", "description": KEYS[DUTIES.name]}}},
    }
