"""Decode SMS as a handset does: the place of a part from its user data header, and the text from its octets. No I/O."""

from dataclasses import dataclass

from deploy.local.servers.smpp_pdu import SubmitSm, Tag

UDH_PRESENT = 0x40  # esm_class bit: the content starts with a user data header
CONCATENATION_8_BIT = 0x00
CONCATENATION_16_BIT = 0x08
UCS2 = 0x08
LATIN_1 = 0x03
ASCII = 0x01
ESCAPE = 0x1B
GSM_ALPHABET = (  # 3GPP TS 23.038, section 6.2.1
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_EXTENSION = {
    0x0A: "\f", 0x14: "^", 0x28: "{", 0x29: "}", 0x2F: "\\", 0x3C: "[", 0x3D: "~", 0x3E: "]", 0x40: "|", 0x65: "€",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedSmsPart:
    """One part of a message: the reference of its message, its number in it, and its octets without the header."""

    reference: int
    total: int
    number: int
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class UndecodableSms:
    """A message that no handset could show."""

    reason: str


def parse_part(submission: SubmitSm) -> ReceivedSmsPart | UndecodableSms:
    """Return the part of a message in *submission*. Without a header and SAR parameters it is a whole message."""
    if submission.esm_class & UDH_PRESENT:
        return _parse_user_data_header(submission.content)
    options = submission.options
    if Tag.SAR_TOTAL in options:
        reference, total, number = (
            int.from_bytes(options.get(tag, b"\1"), "big")
            for tag in (Tag.SAR_REFERENCE, Tag.SAR_TOTAL, Tag.SAR_SEQUENCE)
        )
        return ReceivedSmsPart(reference=reference, total=total, number=number, content=submission.content)
    return ReceivedSmsPart(reference=0, total=1, number=1, content=submission.content)


def encoding_name(data_coding: int) -> str:
    """Return the name of an encoding that the log uses."""
    return {UCS2: "ucs2", LATIN_1: "latin-1", ASCII: "ascii"}.get(data_coding, "gsm7")


def decode(content: bytes, data_coding: int) -> str:
    """Decode the octets of a whole message; what cannot be decoded becomes a replacement character."""
    match encoding_name(data_coding):
        case "ucs2":
            return content.decode("utf-16-be", errors="replace")
        case "gsm7":
            return _decode_gsm7(content)
        case name:
            return content.decode(name, errors="replace")


def _parse_user_data_header(content: bytes) -> ReceivedSmsPart | UndecodableSms:
    length = content[0] if content else 0
    header, rest = content[1 : 1 + length], content[1 + length :]
    if not content or len(header) < length:
        return UndecodableSms(reason="the user data header is longer than the message")
    offset = 0
    while offset + 2 <= len(header):
        element, size = header[offset], header[offset + 1]
        value = header[offset + 2 : offset + 2 + size]
        offset += 2 + size
        if (element, size) in {(CONCATENATION_8_BIT, 3), (CONCATENATION_16_BIT, 4)} and len(value) == size:
            return ReceivedSmsPart(
                reference=int.from_bytes(value[:-2], "big"), total=value[-2], number=value[-1], content=rest
            )
    return ReceivedSmsPart(reference=0, total=1, number=1, content=rest)


def _decode_gsm7(content: bytes) -> str:
    letters: list[str] = []
    escaped = False
    for octet in content:
        if escaped:
            letters.append(GSM_EXTENSION.get(octet, " "))
            escaped = False
        elif octet == ESCAPE:
            escaped = True
        else:
            letters.append(GSM_ALPHABET[octet] if octet < len(GSM_ALPHABET) else "\ufffd")
    return "".join(letters)
