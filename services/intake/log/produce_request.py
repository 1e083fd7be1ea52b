"""The produce request for the facts topic, written in one go (Kafka protocol guide, Produce API, versions 3 to 7).

The client's own would copy every batch at each level of its schema, seven times in all.
"""

import struct
from collections.abc import Mapping

from aiokafka.protocol.api import Request
from aiokafka.protocol.produce import ProduceRequest_v7

from schemas.events.topics import FACTS

_NO_TRANSACTION = -1
_ALL_IN_SYNC = -1
_TOPIC = FACTS.name.encode()
_HEAD = struct.Struct(f">hhiih{len(_TOPIC)}si")
"""Transactional id, required acknowledgements, timeout (ms), number of topics, topic, number of partitions."""

_PARTITION = struct.Struct(">ii")
"""The number of a partition, and the length of its batch, which follows."""


class _Written(ProduceRequest_v7):  # type: ignore[misc]  # the client has no types
    """A request that is written already."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def encode(self) -> bytes:
        """Return it as it goes over the wire."""
        return self._content


class Produce(Request[_Written]):  # type: ignore[misc]  # the same
    """*batches* by partition, to be acknowledged by all in-sync replicas within *timeout_ms*."""

    API_KEY = ProduceRequest_v7.API_KEY

    def __init__(self, batches: Mapping[int, bytes | bytearray], timeout_ms: int) -> None:
        self._batches = batches
        self._timeout_ms = timeout_ms

    def build(self, request_struct_class: type[_Written]) -> _Written:
        """Return the request in the one version there is; the client asks for it once it knows the broker's."""
        head = _HEAD.pack(_NO_TRANSACTION, _ALL_IN_SYNC, self._timeout_ms, 1, len(_TOPIC), _TOPIC, len(self._batches))
        pieces: list[bytes | bytearray] = [head]
        for partition, batch in self._batches.items():
            pieces += (_PARTITION.pack(partition, len(batch)), batch)
        return request_struct_class(b"".join(pieces))
