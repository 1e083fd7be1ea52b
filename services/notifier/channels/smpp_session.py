"""One SMPP 3.4 session with an SMS centre, blocking, owned by one thread. It submits parts and takes delivery receipts.

It refuses to know what a message is for. `smpplib` blocks by design: who uses it from an event loop gives it a thread.
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
_RECEIPT = re.compile(rb"id:(?P<id>\S+).*?stat:(?P<state>[A-Z]+)", re.DOTALL)
_FINAL_RECEIPT_WANTED = 0x01  # registered_delivery: tell success and failure
_IS_RECEIPT = 0x04  # esm_class: the content is a receipt
_MESSAGE_ENDS = 0x40  # esm_class: a user data header comes first
_TRY_AGAIN = 0x64  # ESME_RX_T_APPN: the centre keeps the receipt and sends it again
NOT_SENT = -1  # our own status: the link broke before this part's turn
_INTERNATIONAL, _ALPHANUMERIC, _ISDN = 1, 5, 1

OnReceipt = Callable[[str, str], bool]


class LinkBrokenError(Exception):
    """The session with the SMS centre broke or never came about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsCentre:
    """Where SMS go, and under which sender name (a brand name has at most 11 letters)."""

    host: str
    port: int
    system_id: str
    password: str
    sender: str
    timeout_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of an SMS, ready for the wire."""

    address: str
    content: bytes
    is_ucs2: bool
    has_header: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """The centre's answer about one part: its status (0 is taken) and, if taken, the centre's id for it."""

    status: int
    provider_id: str = ""


class SmppLink:
    """A bound session. After `LinkBrokenError` it is closed; bind anew."""

    def __init__(self, centre: SmsCentre, on_receipt: OnReceipt) -> None:
        logging.getLogger(_LIBRARY).setLevel(logging.WARNING)  # it tells every connection at INFO
        self._centre = centre
        self._on_receipt = on_receipt
        self._answers: dict[int, Taken] = {}
        self._client: Any = None

    @property
    def is_bound(self) -> bool:
        return self._client is not None

    def bind(self) -> None:
        """Connect and bind as transceiver; raise `LinkBrokenError` if the centre will not have it."""
        client: Any = smpplib.client.Client(
            self._centre.host,
            self._centre.port,
            timeout=self._centre.timeout_seconds,
            logger_name=_LIBRARY,
            allow_unknown_opt_params=True,
        )
        client.set_message_sent_handler(self._on_answer)
        client.set_message_received_handler(self._on_delivered)
        client.set_error_pdu_handler(lambda _pdu: None)  # errors are answers here, told apart by their status
        try:
            client.connect()
            client.bind_transceiver(system_id=self._centre.system_id, password=self._centre.password)
        except (smpplib.exceptions.ConnectionError, smpplib.exceptions.PDUError, OSError) as cause:
            _disconnect(client)
            raise LinkBrokenError(str(cause)) from cause
        self._client = client

    def submit(self, parts: Sequence[Part]) -> dict[int, Taken]:
        """Submit *parts* together and return the answers by place; a place without one is unknown: the link broke."""
        sequences: dict[int, int] = {}
        unsent = {place: Taken(status=NOT_SENT) for place in range(len(parts))}
        self._answers.clear()
        try:
            for place, part in enumerate(parts):
                del unsent[place]
                sequences[self._submitted(part)] = place
            while not sequences.keys() <= self._answers.keys():
                self._client.read_once(auto_send_enquire_link=False)
        except (smpplib.exceptions.ConnectionError, smpplib.exceptions.PDUError, OSError):
            self.close()
        answered = {place: self._answers[one] for one, place in sequences.items() if one in self._answers}
        return unsent | answered

    def listen(self, seconds: float) -> None:
        """Take receipts that come within *seconds*; raise `LinkBrokenError` if the session is gone."""
        try:
            readable, _, _ = select.select([self._client._socket], [], [], seconds)  # noqa: SLF001 - it offers no other
            if readable:
                self._client.read_once()
        except (smpplib.exceptions.ConnectionError, smpplib.exceptions.PDUError, OSError) as cause:
            self.close()
            raise LinkBrokenError(str(cause)) from cause

    def close(self) -> None:
        """Unbind if the centre still listens, and hang up."""
        client, self._client = self._client, None
        if client is not None:
            _disconnect(client)

    def _submitted(self, part: Part) -> int:
        pdu = self._client.send_message(
            source_addr_ton=_ALPHANUMERIC,
            source_addr_npi=0,
            source_addr=self._centre.sender,
            dest_addr_ton=_INTERNATIONAL,
            dest_addr_npi=_ISDN,
            destination_addr=part.address.removeprefix("+"),
            short_message=part.content,
            data_coding=smpp.SMPP_ENCODING_ISO10646 if part.is_ucs2 else smpp.SMPP_ENCODING_DEFAULT,
            esm_class=_MESSAGE_ENDS if part.has_header else 0,
            registered_delivery=_FINAL_RECEIPT_WANTED,
        )
        return int(pdu.sequence)

    def _on_answer(self, pdu: Any, **_rest: object) -> None:  # noqa: ANN401 - smpplib has no types
        provider_id = pdu.message_id or b""
        name = provider_id.decode("ascii", "replace") if isinstance(provider_id, bytes) else str(provider_id)
        self._answers[int(pdu.sequence)] = Taken(status=int(pdu.status), provider_id=name.rstrip("\0"))

    def _on_delivered(self, pdu: Any, **_rest: object) -> int | None:  # noqa: ANN401 - smpplib has no types
        found = _RECEIPT.search(pdu.short_message or b"")
        if not int(pdu.esm_class or 0) & _IS_RECEIPT or found is None:
            return None  # a text from a handset; nobody here reads it
        known = self._on_receipt(found["id"].decode("ascii", "replace"), found["state"].decode("ascii"))
        return None if known else _TRY_AGAIN


def _disconnect(client: Any) -> None:  # noqa: ANN401 - smpplib has no types
    try:
        if client.state not in {smpp.SMPP_CLIENT_STATE_CLOSED, smpp.SMPP_CLIENT_STATE_OPEN}:
            client.unbind()
    except (smpplib.exceptions.ConnectionError, smpplib.exceptions.PDUError, OSError):
        client.state = smpp.SMPP_CLIENT_STATE_OPEN  # it is not bound any more, whatever it believes
    finally:
        client.disconnect()
