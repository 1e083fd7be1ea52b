"""`python -m services.intake.workers.worker SOCKET MEMORY`: one clerk, at work until its socket ends.

It inherits one end of a socket pair and the memory of its trays by number, opens nothing else, and ends with whoever
holds the other end.
"""

import logging
import signal
import socket
import sys
from collections.abc import Iterator

import msgspec

from services.intake.asgi import RefusedError
from services.intake.cloudevents import http_binding
from services.intake.cloudevents.pipeline import Handed, Issued, Issuer
from services.intake.core.plan_index import Prepared
from services.intake.core.scopes import Scope
from services.intake.log.records import Partitioner
from services.intake.receipts.signing import Signer
from services.intake.settings import IntakeSettings
from services.intake.workers import protocol
from services.intake.workers.protocol import Done, Errand, Granted, Inbox, Papers, Told
from services.intake.workers.shared_memory import Laid, Trays
from services.runtime import bootstrap

RECEIVE_BYTES = 256 * 1024
ANSWER_BYTES = 4 * 1024
"""Beyond this, what is done is sent while more waits to be done; so is what lies in a tray."""

log = logging.getLogger(__name__)


class Clerk:
    """Issues what it can, by the papers it was given last."""

    def __init__(self, partitioner: Partitioner, trays: Trays) -> None:
        self._trays = trays
        self._plans: dict[str, Prepared] = {}
        self._scopes: dict[int, Scope] = {}
        self._signer: Signer | None = None
        self._issuer = Issuer(self, partitioner)

    def prepared(self, plan_id: str) -> Prepared | None:
        """Return a plan of the papers, as the issuer asks for it."""
        return self._plans.get(plan_id)

    def hear(self, told: Told) -> Done | None:
        """Take note, or do an errand and return its end."""
        match told:
            case Papers():
                self._plans = {one.plan_id: one for one in told.plans}
                self._signer = Signer.of_json(told.signing_key, told.issuer)
                return None
            case Granted():
                self._scopes[told.number] = told.scope
                return None
            case Errand():
                return self._done(told)

    def _done(self, errand: Errand) -> Done:
        if not isinstance(errand.body, Laid):
            return Done(errand.number, self._issued(errand, errand.body))
        issued = self._issued(errand, bytes(self._trays.content(errand.body)))
        laid = self._trays.replace(errand.body, protocol.packed(issued)) if issued else None
        return Done(errand.number, laid=laid) if laid else Done(errand.number, issued)

    def _issued(self, errand: Errand, body: bytes) -> Issued | None:
        if self._signer is None:
            raise RuntimeError("an errand came before the papers")
        scope = self._scopes[errand.scope]
        handed = Handed(errand.mode, errand.headers, body, scope, errand.receivedtime)
        try:
            return self._issuer.issue(handed, http_binding.texts(handed.mode, handed.body), self._signer)
        except RefusedError:
            return None  # whoever answers the client finds the faults again, and tells them
        except Exception:
            log.exception("an errand failed", extra={"action": "errand_failed"})
            return None


def main() -> None:
    """Work off what arrives, until the other end is closed. A signal to the whole group is for that end to heed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    bootstrap.relax_garbage_collection()
    settings = bootstrap.initialise("intake", IntakeSettings)
    number, memory = map(int, sys.argv[1:])
    clerk = Clerk(Partitioner(settings.partitions), Trays(memory))
    with socket.socket(fileno=number) as line:
        for answers in _answered(line, clerk):
            line.sendall(answers)


def _answered(line: socket.socket, clerk: Clerk) -> Iterator[bytearray]:
    inbox, outbox = Inbox(), bytearray()
    decoder = msgspec.msgpack.Decoder(Told)
    protocol.add(Done(0), outbox)
    yield outbox
    while arrived := line.recv(RECEIVE_BYTES):
        outbox.clear()
        for content in inbox.take(arrived):
            done = clerk.hear(decoder.decode(content))
            if done is None:
                continue
            protocol.add(done, outbox)
            if done.laid or len(outbox) > ANSWER_BYTES:
                yield outbox
                outbox.clear()
        yield outbox


if __name__ == "__main__":
    main()
