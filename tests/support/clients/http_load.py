"""Put load on an HTTP port over keep-alive connections, at as little cost for the client as Python allows.

One thread, one `epoll`, ready-made requests: a client that costs as much as the server would measure itself.
"""

import select
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

_LENGTH = b"content-length: "
_RECEIVE_BYTES = 1 << 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """The result: requests per second, and the duration of each in seconds, sorted."""

    rate: float
    seconds: list[float]

    def percentile(self, percent: float) -> float:
        """Return the duration in seconds that *percent* of the requests did not exceed."""
        return self.seconds[min(len(self.seconds) - 1, int(len(self.seconds) * percent / 100))]


@dataclass(slots=True)
class _Connection:
    """One connection with a request in progress, and the part of its response that has arrived."""

    socket: socket.socket
    sent_at: float = 0.0
    answer: bytes = field(default=b"")

    def post(self, request: bytes) -> None:
        self.answer = b""
        self.sent_at = time.perf_counter()
        self.socket.sendall(request)

    def is_answered(self) -> bool:
        """Read what has arrived; return whether the response is complete."""
        received = self.socket.recv(_RECEIVE_BYTES)
        if not received:
            raise ConnectionError("the server closed the connection")
        self.answer += received
        head, blank, body = self.answer.partition(b"\r\n\r\n")
        return bool(blank) and len(body) >= int(head.lower().partition(_LENGTH)[2].partition(b"\r\n")[0])


def post_all(port: int, requests: Sequence[bytes], *, connections: int, expected: bytes = b"HTTP/1.1 202") -> Load:
    """Send *requests* over *connections*; each sends its next request as soon as the last one is answered.

    Raise `AssertionError` with the answer where one does not begin with *expected*.
    """
    ahead = iter(requests)
    seconds: list[float] = []
    poll = select.epoll()
    start = time.perf_counter()
    try:
        open_ = dict(_open(port, ahead, connections, poll))
        while open_:
            for number, _ in poll.poll():
                one = open_[number]
                if not one.is_answered():
                    continue
                seconds.append(time.perf_counter() - one.sent_at)
                assert one.answer.startswith(expected), one.answer[:500]
                request = next(ahead, None)
                if request is None:
                    poll.unregister(number)
                    open_.pop(number).socket.close()
                else:
                    one.post(request)
    finally:
        poll.close()
    return Load(rate=len(seconds) / (time.perf_counter() - start), seconds=sorted(seconds))


def _open(port: int, ahead: Iterator[bytes], connections: int, poll: select.epoll) -> Iterator[tuple[int, _Connection]]:
    for _, request in zip(range(connections), ahead, strict=False):
        one = _Connection(socket.create_connection(("127.0.0.1", port)))
        one.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        poll.register(one.socket.fileno(), select.EPOLLIN)
        one.post(request)
        yield one.socket.fileno(), one
