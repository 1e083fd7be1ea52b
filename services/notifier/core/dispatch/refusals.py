"""What a refusal means: whose fault it is, and so whether the recipient is given up.

A server that refuses us before it has heard of a recipient says nothing about the recipient. Example: `554 no service
here` as the first line of a mail server is a fault of the route, and the mail is tried again; `550 5.1.1` in answer to
RCPT is a fault of the address, and the mail is given up.

Sources: RFC 5321 (reply codes), RFC 3463 and its registry (enhanced status codes), SMPP 3.4 section 5.1.3.
"""

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from schemas.events.deliveries import AttemptOutcome

_FIRST_PERMANENT_CODE = 500  # RFC 5321, section 4.2.1: 4yz is a transient, 5yz a permanent failure
# 421 closing, 450 mailbox busy, 451 local error, 454 throttled or TLS not available for now: how servers ask for less.
_BUSY_CODES = frozenset({421, 450, 451, 454})
# Enhanced codes that speak of the sender although they stand among those about addresses: RFC 3463, section 3.2.
_SENDER_CODES = frozenset({"1.7", "1.8"})

# Besides `5.1.z`: 5.2.1 mailbox disabled, 5.4.4 no route to the domain (RFC 3463).
_DEAD_DETAILS = frozenset({"2.1", "4.4"})
_NOBODY_THERE = frozenset({550, 551, 553})  # RFC 5321, section 4.2.3: to RCPT, no mailbox of that name here

_SMPP_INVALID_DESTINATION = 0x0B  # ESME_RINVDSTADR
_SMPP_BUSY = frozenset({0x14, 0x58})  # ESME_RMSGQFUL, ESME_RTHROTTLED
_SMPP_ADDRESS = frozenset({0x0B, 0x33, 0x34, 0x40, 0x42, 0x50, 0x51})  # destination, its numbering, its lists
_SMPP_CONTENT = frozenset({0x01, 0x61, 0x62})  # message length, scheduled delivery, validity
_SMPP_OURS = frozenset({0x04, 0x05, 0x0A, 0x0D, 0x0E, 0x0F, 0x15, 0x48, 0x49, 0x53})  # bind, password, sender name


class RefusalFault(StrEnum):
    """Whose fault a refusal is. `busy` asks for less and is nobody's."""

    ADDRESS = "address"
    CONTENT = "content"
    OURS = "ours"
    THEIRS = "theirs"
    BUSY = "busy"


class Phase(IntEnum):
    """The steps of an SMTP session in their order. `MESSAGE` is the answer to the whole mail."""

    CONNECT = 0
    EHLO = 1
    STARTTLS = 2
    AUTH = 3
    MAIL = 4
    RCPT = 5
    DATA = 6
    MESSAGE = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRefusal:
    """One refusal. `concerns_route` says that every message on this route would have been refused.

    `is_hard`: nobody has the address, so that it is suspended. A full mailbox is given up for this message only.
    `goes_elsewhere`: this provider cannot reach the recipient, and the next one of the channel may.
    """

    fault: RefusalFault
    is_permanent: bool
    concerns_route: bool
    is_hard: bool = False
    goes_elsewhere: bool = False

    @property
    def outcome(self) -> AttemptOutcome:
        """The outcome of an attempt that was refused like this."""
        match self.fault:
            case RefusalFault.ADDRESS | RefusalFault.CONTENT:
                return AttemptOutcome.PERMANENT_FAILURE if self.is_permanent else AttemptOutcome.TEMPORARY_FAILURE
            case RefusalFault.BUSY:
                return AttemptOutcome.TEMPORARY_FAILURE
            case RefusalFault.OURS | RefusalFault.THEIRS:
                return AttemptOutcome.TECHNICAL_FAILURE

    @property
    def spends_attempt(self) -> bool:
        """Whether the attempt counts towards the number after which a delivery is given up."""
        return self.fault in {RefusalFault.ADDRESS, RefusalFault.CONTENT}


BROKEN_CONNECTION = DeliveryRefusal(fault=RefusalFault.THEIRS, is_permanent=False, concerns_route=True)


def read_smtp_reply(phase: Phase, code: int, enhanced: str | None = None) -> DeliveryRefusal:
    """Return what the reply *code* means in *phase*; *enhanced* is its RFC 3463 status, for example `5.1.1`."""
    is_permanent = code >= _FIRST_PERMANENT_CODE
    detail = (enhanced or "").partition(".")[2]  # `1.1`: what RFC 3463 calls subject and detail
    if phase < Phase.RCPT:
        fault = _find_session_fault(phase, code, is_permanent=is_permanent)
    elif is_permanent:
        fault = _find_permanent_fault(phase, code, detail)
    else:
        fault = _find_transient_fault(phase, code, detail)
    return DeliveryRefusal(
        fault=fault,
        is_permanent=is_permanent,
        concerns_route=phase < Phase.RCPT or code == 421,  # noqa: PLR2004
        is_hard=fault is RefusalFault.ADDRESS and is_permanent and is_hard_status(code, enhanced),
    )


def is_hard_status(code: int | None, enhanced: str | None) -> bool:
    """Whether a reply to RCPT, or the status in a report, says that nobody has the address.

    A status that says more than "undefined" (`5.0.0`) decides, else the reply code. `5.2.2` is a full mailbox, `5.7.1`
    a policy: neither means that nobody is there.
    """
    if enhanced is None or enhanced == "5.0.0":
        return code in _NOBODY_THERE
    detail = enhanced.removeprefix("5.")
    return detail != enhanced and detail not in _SENDER_CODES and (detail in _DEAD_DETAILS or detail.startswith("1."))


def read_smpp_status(status: int) -> DeliveryRefusal:
    """Return what the command status of a `submit_sm_resp` or of a bind means."""
    fault = RefusalFault.THEIRS
    for candidate, statuses in (
        (RefusalFault.BUSY, _SMPP_BUSY),
        (RefusalFault.ADDRESS, _SMPP_ADDRESS),
        (RefusalFault.CONTENT, _SMPP_CONTENT),
        (RefusalFault.OURS, _SMPP_OURS),
    ):
        if status in statuses:
            fault = candidate
    is_about_message = fault in {RefusalFault.ADDRESS, RefusalFault.CONTENT}
    return DeliveryRefusal(
        fault=fault,
        is_permanent=is_about_message,
        concerns_route=fault in {RefusalFault.BUSY, RefusalFault.OURS},
        is_hard=status == _SMPP_INVALID_DESTINATION,
    )


def read_smpp_bind(status: int) -> DeliveryRefusal:
    """Return what the refusal of a bind means: nothing of any message."""
    fault = read_smpp_status(status).fault
    fault = RefusalFault.OURS if fault in {RefusalFault.ADDRESS, RefusalFault.CONTENT} else fault
    return DeliveryRefusal(fault=fault, is_permanent=False, concerns_route=True)


def _find_session_fault(phase: Phase, code: int, *, is_permanent: bool) -> RefusalFault:
    if code in _BUSY_CODES:
        return RefusalFault.BUSY
    return RefusalFault.OURS if is_permanent and phase in {Phase.AUTH, Phase.MAIL} else RefusalFault.THEIRS


def _find_permanent_fault(phase: Phase, code: int, detail: str) -> RefusalFault:
    """Return the fault of a 5yz after RCPT or after the mail; without an enhanced code the phase decides."""
    about_message = RefusalFault.ADDRESS if phase is Phase.RCPT else RefusalFault.CONTENT
    subject = detail.partition(".")[0]
    if detail in _SENDER_CODES:
        return RefusalFault.OURS
    if subject in {"1", "2", "4"}:
        return RefusalFault.ADDRESS
    if subject == "6" or detail == "3.4":  # the format of the mail, its size
        return RefusalFault.CONTENT
    if subject == "3":
        return RefusalFault.THEIRS
    if subject == "5":
        return RefusalFault.OURS
    # 5.7.z to RCPT is `Relay access denied`: the relay would say it to every recipient. After the mail it is a verdict
    # on the mail. 530 asks for the AUTH that we did not do.
    if phase is Phase.RCPT and (subject == "7" or code == 530):  # noqa: PLR2004
        return RefusalFault.OURS
    return about_message


def _find_transient_fault(phase: Phase, code: int, detail: str) -> RefusalFault:
    # 4.1.z and 4.2.z speak of one mailbox: full, or greylisted (`450 4.2.0`). They do not ask for less mail.
    if detail.partition(".")[0] in {"1", "2"}:
        return RefusalFault.ADDRESS
    if code in _BUSY_CODES:
        return RefusalFault.BUSY
    return RefusalFault.ADDRESS if phase is Phase.RCPT and not detail else RefusalFault.THEIRS
