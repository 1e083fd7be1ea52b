"""Sends the events on stdin with the CloudEvents SDK of Python: `send.py URL KEY MODE`; prints each answer's status."""

import http.client
import json
import sys
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from cloudevents.core.bindings.http import HTTPMessage, to_binary_event, to_structured_event
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

BATCH = "application/cloudevents-batch+json"


def create_event(written: dict[str, Any]) -> Any:
    """Return the event of the SDK with these attributes and this data."""
    return CloudEvent({name: value for name, value in written.items() if name != "data"}, written["data"])


def encode_events(events: Sequence[Any], mode: str) -> list[Any]:
    """Return the requests that carry *events*. The SDK has no batches: one is an array of events in its JSON format."""
    match mode:
        case "batch":
            body = b"[%b]" % b",".join(JSONFormat().write(one) for one in events)
            return [HTTPMessage(headers={"content-type": BATCH}, body=body)]
        case "binary":
            return list(map(to_binary_event, events))
        case _:
            return list(map(to_structured_event, events))


def main(url: str, key: str, mode: str) -> None:
    """Post each request and print its status."""
    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=30)
    for message in encode_events([create_event(one) for one in json.load(sys.stdin)], mode):
        headers = {**message.headers, "authorization": f"Bearer {key}"}
        connection.request("POST", place.path, message.body, headers)
        answer = connection.getresponse()
        print(answer.status, answer.read().decode())


main(*sys.argv[1:])
