"""One SMPP 3.4 session with an SMS centre: binds, submits parts and takes delivery receipts.

A session blocks and belongs to one thread, as `smpplib` works; a caller in an event loop gives it a thread. It does not
know what a message is about.
"""

import logging
import re
import select
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import smpplib.client
import smpplib.consts as smpp
import smpplib.exceptions

_LIBRARY = "smpplib"
_RECEIPT = re.compile(rb"id:(?P<id>\S+).*?stat:(?P<state>[A-Z]+)", re.DOTALL)  # SMPP 3.4, appendix B
_FINAL_RECEIPT_WANTED = 0x01  # registered_delivery: report success and failure
_IS_RECEIPT = 0x04  # esm_class: the content is a delivery receipt
_HAS_USER_DATA_HEADER = 0x40  # esm_class: the content begins with a user data header
_TRY_AGAIN = 0x64  # ESME_RX_T_APPN: the centre keeps the receipt and sends it again
NOT_SENT = -1  # our own status: the session broke before this part was written to the socket
_INTERNATIONAL, _ALPHANUMERIC, _ISDN = 1, 5, 1

# Called with the centre's id of a part and the state in its receipt; returns whether the receipt was stored.
OnReceipt = Callable[[str, str], bool]


class SessionBrokenError(Exception):
    """The session with the SMS centre broke, or could not be opened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsCentre:
    """The SMS centre, and the sender name under which SMS go out (a brand name has at most 11 letters)."""

    host: str
    port: int
    system_id: str
    password: str
    sender: str
    timeout_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsPart:
    """One part of an SMS, ready to be submitted."""

    address: str
    content: bytes
    is_ucs2: bool
    has_header: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitResult:
    """The centre's answer about one part: its status (0 means accepted) and, if accepted, the centre's id for it."""

    status: int
    provider_id: str = ""


class SmppSession:
    """A bound session. After `SessionBrokenError` it is closed and has to be bound anew."""

    def __init__(self, centre: SmsCentre, on_receipt: OnReceipt) -> None:
        logging.getLogger(_LIBRARY).setLevel(logging.WARNING)  # it logs every connection at INFO
        self._centre = centre
        self._on_receipt = on_receipt
        self._results: dict[int, SubmitResult] = {}
        self._client: Any = None

    @property
    def is_bound(self) -> bool:
        return self._client is not None

    def bind(self) -> None:
        """Connect and bind as transceiver; raise `SessionBrokenError` if the centre refuses or does not answer."""
        client: Any = smpplib.client.Client(
            self._centre.host,
            self._centre.port,
            timeout=self._centre.timeout_seconds,
            logger_name=_LIBRARY,
            allow_unknown_opt_params=True,
        )
        client.set_message_sent_handler(self._on_submit_response)
        client.set_message_received_handler(self._on_delivered)
        # By default the library raises for a refused part, in the midst of the others. Here a refusal is a result.
        client.set_error_pdu_handler(lambda _pdu: None)
        try:
            client.connect()
            client.bind_transceiver(system_id=self._centre.system_id, password=self._centre.password)
        except (smpplib.exceptions.ConnectionError, smpplib.exceptions.PDUError, OSError) as cause:
            _disconnect(client)
            raise SessionBrokenError(str(cause)) from cause
        self._client = client

    def submit(self, parts: Sequence[SmsPart]) -> dict[int, SubmitResult]:
        """Submit *parts* together and return the results by index.

        An index without a result is unknown: the session broke after the part was written and before its answer came.
        """
        # All parts are written before the first answer is read (SMPP allows a window of open submissions), so a batch
        # costs one round trip. Until a part is about to be written its result is NOT_SENT, which may be sent again.
        indexes: dict[int, int] = {}
        unsent = {index: SubmitResult(status=NOT_SENT) for index in range(len(parts))}
        self._results.clear()
        try:
            for index, part in enumerate(parts):
                del unsent[index]
                indexes[self._send_submit(part)] = index
            while not indexes.keys() <= self._results.keys():
                self._client.read_once(auto_send_enquire_link=False)
        except (smpplib.exceptions.ConnectionError, smpplib.exceptions.PDUError, OSError):
            self.close()
        answered = {index: self._results[sequence] for sequence, index in indexes.items() if sequence in self._results}
        return unsent | answered

    def listen(self, seconds: float) -> None:
        """Take receipts that come within *seconds*; raise `SessionBrokenError` if the session is gone."""
        try:
            readable, _, _ = select.select([self._client._socket], [], [], seconds)  # noqa: SLF001 - it offers no other
            if readable:
                self._client.read_once()
        except (smpplib.exceptions.ConnectionError, smpplib.exceptions.PDUError, OSError) as cause:
            self.close()
            raise SessionBrokenError(str(cause)) from cause

    def close(self) -> None:
        """Unbind if the centre still answers, and disconnect."""
        client, self._client = self._client, None
        if client is not None:
            _disconnect(client)

    def _send_submit(self, part: SmsPart) -> int:
        """Write a `submit_sm` and return its sequence number."""
        pdu = self._client.send_message(
            source_addr_ton=_ALPHANUMERIC,
            source_addr_npi=0,
            source_addr=self._centre.sender,
            dest_addr_ton=_INTERNATIONAL,
            dest_addr_npi=_ISDN,
            destination_addr=part.address.removeprefix("+"),
            short_message=part.content,
            data_coding=smpp.SMPP_ENCODING_ISO10646 if part.is_ucs2 else smpp.SMPP_ENCODING_DEFAULT,
            esm_class=_HAS_USER_DATA_HEADER if part.has_header else 0,
            registered_delivery=_FINAL_RECEIPT_WANTED,
        )
        return int(pdu.sequence)

    def _on_submit_response(self, pdu: Any, **_rest: object) -> None:  # noqa: ANN401 - smpplib has no types
        provider_id = pdu.message_id or b""
        name = provider_id.decode("ascii", "replace") if isinstance(provider_id, bytes) else str(provider_id)
        self._results[int(pdu.sequence)] = SubmitResult(status=int(pdu.status), provider_id=name.rstrip("\0"))

    def _on_delivered(self, pdu: Any, **_rest: object) -> int | None:  # noqa: ANN401 - smpplib has no types
        found = _RECEIPT.search(pdu.short_message or b"")
        if not int(pdu.esm_class or 0) & _IS_RECEIPT or found is None:
            return None  # a text from a handset; nobody reads it
        is_stored = self._on_receipt(found["id"].decode("ascii", "replace"), found["state"].decode("ascii"))
        return None if is_stored else _TRY_AGAIN


def _disconnect(client: Any) -> None:  # noqa: ANN401 - smpplib has no types
    try:
        if client.state not in {smpp.SMPP_CLIENT_STATE_CLOSED, smpp.SMPP_CLIENT_STATE_OPEN}:
            client.unbind()
    except (smpplib.exceptions.ConnectionError, smpplib.exceptions.PDUError, OSError):
        # The connection is gone, but the library still believes it is bound and would log a warning on `disconnect`.
        client.state = smpp.SMPP_CLIENT_STATE_OPEN
    finally:
        client.disconnect()
