"""The PDUs of SMPP 3.4 that a client needs, as bytes. No state, no I/O."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass

HEADER = struct.Struct(">IIII")  # length, command, status, sequence
RESPONSE_BIT = 0x80000000
LARGEST_PDU = 70_000  # a message_payload has 64 KiB at most

GENERIC_NACK, BIND_RECEIVER, BIND_TRANSMITTER, SUBMIT_SM, DELIVER_SM = 0x80000000, 0x01, 0x02, 0x04, 0x05
UNBIND, BIND_TRANSCEIVER, ENQUIRE_LINK, DATA_SM = 0x06, 0x09, 0x15, 0x103

MESSAGE_PAYLOAD = 0x0424
_VERSION = 0x34
_INTERNATIONAL, _ALPHANUMERIC, _ISDN = 1, 5, 1
_FINAL_RECEIPT_WANTED = 0x01  # registered_delivery: report success and failure
_HAS_USER_DATA_HEADER = 0x40  # esm_class: the content begins with a user data header
_UCS2 = 0x08
_LONGEST_SHORT_MESSAGE = 254
_NUL = b"\0"


class MalformedSmppError(Exception):
    """The peer sent bytes that are no SMPP."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SmppPdu:
    """One PDU: its header, and its body as it came."""

    command: int
    status: int = 0
    sequence: int
    body: bytes = b""

    def encode(self) -> bytes:
        """Return the bytes on the wire."""
        return HEADER.pack(HEADER.size + len(self.body), self.command, self.status, self.sequence) + self.body

    def answer(self, status: int = 0, body: bytes = b"") -> bytes:
        """Return the response to this request."""
        return SmppPdu(command=self.command | RESPONSE_BIT, status=status, sequence=self.sequence, body=body).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsPart:
    """One part of an SMS, ready to be submitted."""

    address: str
    content: bytes
    is_ucs2: bool
    has_header: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveredSms:
    """The content of a `deliver_sm` or `data_sm`: a delivery receipt, or a text from a handset."""

    esm_class: int
    text: bytes
    parameters: Mapping[int, bytes]


def encode_bind(system_id: str, password: str) -> bytes:
    """Return the body of a bind."""
    return b"".join(
        (system_id.encode("latin-1"), _NUL, password.encode("latin-1"), _NUL, _NUL, bytes((_VERSION, 0, 0)), _NUL)
    )


def encode_submit(part: SmsPart, *, sender: str, validity_hours: int) -> bytes:
    """Return the body of a `submit_sm`; a content too long for it goes into a `message_payload`."""
    is_short = len(part.content) <= _LONGEST_SHORT_MESSAGE
    head = b"".join(
        (
            _NUL,  # service type: the centre's default
            bytes((_ALPHANUMERIC, 0)),
            sender.encode("latin-1") + _NUL,
            bytes((_INTERNATIONAL, _ISDN)),
            part.address.removeprefix("+").encode("latin-1") + _NUL,
            bytes((_HAS_USER_DATA_HEADER if part.has_header else 0, 0, 0)),
            _NUL,  # scheduled for now
            _encode_validity(validity_hours) + _NUL,
            bytes((_FINAL_RECEIPT_WANTED, 0, _UCS2 if part.is_ucs2 else 0, 0)),
        )
    )
    if is_short:
        return head + bytes((len(part.content),)) + part.content
    return head + _NUL + struct.pack(">HH", MESSAGE_PAYLOAD, len(part.content)) + part.content


def parse_header(data: bytes) -> tuple[int, SmppPdu]:
    """Return the length of the body and the PDU without it; raise `MalformedSmppError` for an impossible length."""
    length, command, status, sequence = HEADER.unpack(data)
    if not HEADER.size <= length <= LARGEST_PDU:
        raise MalformedSmppError(str(length))
    return length - HEADER.size, SmppPdu(command=command, status=status, sequence=sequence)


def parse_message_id(body: bytes) -> str:
    """Return the id in the body of a `submit_sm_resp`."""
    return body.partition(_NUL)[0].decode("latin-1")


def parse_delivered(pdu: SmppPdu) -> DeliveredSms:
    """Return the content of a `deliver_sm` or `data_sm`; raise `MalformedSmppError` if it is cut short."""
    rest = _skip_string(pdu.body)  # service type
    try:
        for _ in range(2):  # source and destination: type, plan, address
            rest = _skip_string(rest[2:])
        esm_class = rest[0]
        if pdu.command == DATA_SM:
            return DeliveredSms(esm_class=esm_class, text=b"", parameters=_parse_parameters(rest[3:]))
        rest = _skip_string(_skip_string(rest[3:]))  # schedule and validity
        length = rest[4]
        text, rest = rest[5 : 5 + length], rest[5 + length :]
    except IndexError as cause:
        raise MalformedSmppError("cut short") from cause
    parameters = _parse_parameters(rest)
    return DeliveredSms(esm_class=esm_class, text=text or parameters.get(MESSAGE_PAYLOAD, b""), parameters=parameters)


def _encode_validity(hours: int) -> bytes:
    """Return a relative validity period, SMPP 3.4 section 7.1.1.2: years, months, days, hours and so on, then R."""
    days, rest = divmod(hours, 24)
    months, days = divmod(days, 30)
    return f"00{months:02d}{days:02d}{rest:02d}0000000R".encode() if hours else b""


def _skip_string(data: bytes) -> bytes:
    text, end, rest = data.partition(_NUL)
    if not end:
        raise MalformedSmppError(f"{len(text)} octets without an end")
    return rest


def _parse_parameters(data: bytes) -> dict[int, bytes]:
    """Return the optional parameters; what follows a broken one is left out."""
    found: dict[int, bytes] = {}
    while len(data) >= 4:  # noqa: PLR2004 - a tag and a length of two octets each
        tag, length = struct.unpack(">HH", data[:4])
        found[tag] = data[4 : 4 + length]
        data = data[4 + length :]
    return found
