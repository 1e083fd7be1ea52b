"""The AsyncAPI document of the bus, as it lies in the repository."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from schemas.events import catalogue
from schemas.events.catalogue import MessageType
from schemas.events.topics import TOPICS

PUBLISHED = Path(__file__).parents[2] / "schemas"
EVENTS = [one for one in catalogue.MESSAGES if one.is_event]


class TestBus:
    """The AsyncAPI document."""

    document = YAML(typ="safe").load((PUBLISHED / "asyncapi.yaml").read_text())

    def test_every_topic_is_a_channel(self) -> None:
        """With its address and its number of partitions."""
        assert {one["address"] for one in self.document["channels"].values()} == {topic.name for topic in TOPICS}

    def test_every_reference_leads_somewhere(self) -> None:
        """Within the document or to a published file."""
        for reference in _references(self.document):
            if not reference.startswith("#/"):
                assert (PUBLISHED / reference).is_file()
                continue
            node = self.document
            for step in reference[2:].split("/"):
                node = node[step]

    def test_every_event_shows_its_example(self) -> None:
        """A reader sees what a record looks like."""
        for message in EVENTS:
            shown = self.document["components"]["messages"][message.name]["examples"]
            assert shown == [{"payload": example(message)}]


def example(message: MessageType) -> dict[str, Any]:
    """The example as it lies in the repository."""
    event: dict[str, Any] = json.loads((PUBLISHED / "examples" / f"{message.name}.json").read_text())
    return event


def _references(node: object) -> Iterator[str]:
    match node:
        case {"$ref": str(reference)}:
            yield reference
        case dict():
            for value in node.values():
                yield from _references(value)
        case list():
            for value in node:
                yield from _references(value)
        case _:
            return
