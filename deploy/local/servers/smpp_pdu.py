"""Parse and encode the PDUs of SMPP 3.4 that an SMS centre needs. No state, no I/O.

It was written from the specification without the library that the notifier uses, so that a mistake in one of the two
shows up as a failure of the other.
"""

import struct
from dataclasses import dataclass, field
from enum import IntEnum

HEADER = struct.Struct(">IIII")
RESPONSE_BIT = 0x80000000
LONGEST_PDU_BYTES = 70_000  # a message_payload may hold 64 KiB


class CommandId(IntEnum):
    """Command ids of section 5.1.2.1; a response has RESPONSE_BIT set."""

    BIND_RECEIVER = 0x01
    BIND_TRANSMITTER = 0x02
    SUBMIT_SM = 0x04
    DELIVER_SM = 0x05
    UNBIND = 0x06
    BIND_TRANSCEIVER = 0x09
    ENQUIRE_LINK = 0x15
    GENERIC_NACK = 0x00


class CommandStatus(IntEnum):
    """Command statuses of section 5.1.3 that this centre returns by itself; a fault script may use any other."""

    OK = 0x00
    INVALID_COMMAND_LENGTH = 0x02
    INVALID_COMMAND = 0x03
    INCORRECT_BIND_STATE = 0x04
    ALREADY_BOUND = 0x05
    INVALID_DESTINATION = 0x0B
    INVALID_PASSWORD = 0x0E
    INVALID_SYSTEM_ID = 0x0F
    THROTTLED = 0x58


class Tag(IntEnum):
    """Optional parameters of section 5.3.2 that are read or written here."""

    RECEIPTED_MESSAGE_ID = 0x001E
    SAR_REFERENCE = 0x020C
    SAR_TOTAL = 0x020E
    SAR_SEQUENCE = 0x020F
    MESSAGE_PAYLOAD = 0x0424
    MESSAGE_STATE = 0x0427


class MalformedPduError(Exception):
    """The peer sent bytes that are no SMPP 3.4 PDU; the session must end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pdu:
    """A protocol data unit: its header fields and its undecoded body."""

    command: int
    sequence: int
    status: int = CommandStatus.OK
    body: bytes = b""

    def pack(self) -> bytes:
        """Encode the PDU."""
        return HEADER.pack(HEADER.size + len(self.body), self.command, self.status, self.sequence) + self.body

    def response(self, status: int = CommandStatus.OK, body: bytes = b"") -> "Pdu":
        """Return the response to this request."""
        return Pdu(command=self.command | RESPONSE_BIT, sequence=self.sequence, status=status, body=body)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitSm:
    """The fields of a submit_sm that determine the addressee and the text of a message."""

    source: str
    destination: str
    esm_class: int
    registered_delivery: int
    data_coding: int
    content: bytes
    options: dict[int, bytes] = field(default_factory=dict)


class PduReader:
    """Reads the fields of a body one after the other."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    def read_string(self) -> str:
        """Read a C-octet string."""
        end = self._body.find(b"\0", self._at)
        if end < 0:
            raise MalformedPduError("a string has no end")
        start, self._at = self._at, end + 1
        return self._body[start:end].decode("latin-1")

    def read_byte(self) -> int:
        """Read one octet."""
        return self.read_bytes(1)[0]

    def read_bytes(self, count: int) -> bytes:
        """Read *count* octets; raise `MalformedPduError` if there are fewer."""
        octets = self._body[self._at : self._at + count]
        if len(octets) < count:
            raise MalformedPduError("the body ends inside a field")
        self._at += count
        return octets

    def read_options(self) -> dict[int, bytes]:
        """Read the rest of the body as optional parameters (tag, length, value)."""
        found: dict[int, bytes] = {}
        while self._at < len(self._body):
            tag, length = struct.unpack(">HH", self.read_bytes(4))
            found[tag] = self.read_bytes(length)
        return found


def parse_header(header: bytes) -> tuple[int, Pdu]:
    """Parse the 16 octets of a header; return the length of the body in octets and the PDU without its body."""
    length, command, status, sequence = HEADER.unpack(header)
    if not HEADER.size <= length <= LONGEST_PDU_BYTES:
        raise MalformedPduError(f"a length of {length} octets")
    return length - HEADER.size, Pdu(command=command, sequence=sequence, status=status)


def parse_bind(body: bytes) -> tuple[str, str]:
    """Parse the system id and the password of a bind."""
    reader = PduReader(body)
    return reader.read_string(), reader.read_string()


def parse_submit_sm(body: bytes) -> SubmitSm:
    """Parse a submit_sm (section 4.4.1)."""
    reader = PduReader(body)
    reader.read_string()  # service_type
    reader.read_bytes(2)  # source_addr_ton, source_addr_npi
    source = reader.read_string()
    reader.read_bytes(2)  # dest_addr_ton, dest_addr_npi
    destination = reader.read_string()
    esm_class = reader.read_byte()
    reader.read_bytes(2)  # protocol_id, priority_flag
    reader.read_string()  # schedule_delivery_time
    reader.read_string()  # validity_period
    registered_delivery = reader.read_byte()
    reader.read_byte()  # replace_if_present_flag
    data_coding = reader.read_byte()
    reader.read_byte()  # sm_default_msg_id
    content = reader.read_bytes(reader.read_byte())
    options = reader.read_options()
    return SubmitSm(
        source=source,
        destination=destination,
        esm_class=esm_class,
        registered_delivery=registered_delivery,
        data_coding=data_coding,
        content=content or options.get(Tag.MESSAGE_PAYLOAD, b""),
        options=options,
    )


def encode_receipt(submission: SubmitSm, text: str, options: dict[int, bytes]) -> bytes:
    """Encode the body of a deliver_sm with the delivery receipt for *submission*, source and destination swapped."""
    short = text.encode("latin-1")
    return b"".join(
        [
            b"\0\0\0" + submission.destination.encode("latin-1") + b"\0",
            b"\0\0" + submission.source.encode("latin-1") + b"\0",
            bytes([0x04, 0, 0]) + b"\0\0",  # esm_class: delivery receipt; protocol, priority; no schedule, no validity
            bytes([0, 0, 0, 0, len(short)]) + short,
            *(struct.pack(">HH", tag, len(value)) + value for tag, value in options.items()),
        ]
    )
