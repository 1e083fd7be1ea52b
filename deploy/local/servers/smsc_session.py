"""An SMPP session on the side of the SMS centre, and the state that sessions share. `smpp_pdu` does the encoding."""

import asyncio
import contextlib
import hmac
import struct
import time
from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from deploy.local.servers import smpp_pdu, sms_text
from deploy.local.servers.fault_script import FaultScript
from deploy.local.servers.smpp_pdu import CommandId, CommandStatus, Pdu, SubmitSm, Tag
from deploy.local.servers.sms_log import SmsLog

BINDS = (CommandId.BIND_RECEIVER, CommandId.BIND_TRANSMITTER, CommandId.BIND_TRANSCEIVER)
MESSAGE_STATES = {"DELIVRD": 2, "EXPIRED": 3, "DELETED": 4, "UNDELIV": 5, "ACCEPTD": 6, "UNKNOWN": 7, "REJECTD": 8}
WANTS_RECEIPT = 0x03  # registered_delivery bits: a final receipt always, or on failure


@dataclass(slots=True, kw_only=True)
class CentreState:
    """The state that outlives a session: accounts, log, faults, message counter, undelivered receipts."""

    accounts: Mapping[str, str]
    log: SmsLog
    faults: FaultScript
    message_number: int = 0
    receipts: defaultdict[str, deque[bytes]] = field(default_factory=lambda: defaultdict(deque))

    def next_message_id(self) -> str:
        self.message_number += 1
        return f"{self.message_number:08x}"


class SmscSession:
    """Reads requests one after another and answers them until the connection ends."""

    def __init__(self, centre: CentreState, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._centre = centre
        self._reader = reader
        self._writer = writer
        self._system_id = ""
        self._bind: int | None = None
        self._sequence = 0

    async def run(self) -> None:
        """Serve until the peer unbinds, disconnects, or sends bytes that are no SMPP."""
        try:
            while request := await self._receive():
                if not await self._handle(request):
                    break
        except smpp_pdu.MalformedPduError:
            await self._send(
                Pdu(command=smpp_pdu.RESPONSE_BIT, sequence=0, status=CommandStatus.INVALID_COMMAND_LENGTH)
            )
        except ConnectionError:
            return  # the peer is gone; nobody is left to answer
        finally:
            self._writer.close()

    async def _receive(self) -> Pdu | None:
        try:
            length, head = smpp_pdu.parse_header(await self._reader.readexactly(smpp_pdu.HEADER.size))
            body = await self._reader.readexactly(length)
        except asyncio.IncompleteReadError:
            return None
        return Pdu(command=head.command, sequence=head.sequence, status=head.status, body=body)

    async def _handle(self, request: Pdu) -> bool:
        """Answer one PDU; return whether the session goes on."""
        if request.command & smpp_pdu.RESPONSE_BIT:
            return True  # the response to a receipt that was sent
        match request.command:
            case command if command in BINDS:
                await self._on_bind(request)
            case CommandId.SUBMIT_SM:
                return await self._on_submit(request)
            case CommandId.ENQUIRE_LINK:
                await self._send(request.response())
            case CommandId.UNBIND:
                await self._send(request.response())
                return False
            case _:
                await self._send(
                    Pdu(command=smpp_pdu.RESPONSE_BIT, sequence=request.sequence, status=CommandStatus.INVALID_COMMAND)
                )
        return True

    async def _on_bind(self, request: Pdu) -> None:
        system_id, password = smpp_pdu.parse_bind(request.body)
        status = self._bind_status(system_id, password)
        if status is CommandStatus.OK:
            self._system_id, self._bind = system_id, request.command
        await self._send(request.response(status, b"dondoc-local\0" if status is CommandStatus.OK else b""))
        await self._send_receipts()

    def _bind_status(self, system_id: str, password: str) -> CommandStatus:
        if self._bind is not None:
            return CommandStatus.ALREADY_BOUND
        if system_id not in self._centre.accounts:
            return CommandStatus.INVALID_SYSTEM_ID
        known = hmac.compare_digest(self._centre.accounts[system_id], password)
        return CommandStatus.OK if known else CommandStatus.INVALID_PASSWORD

    async def _on_submit(self, request: Pdu) -> bool:
        if self._bind not in {CommandId.BIND_TRANSMITTER, CommandId.BIND_TRANSCEIVER}:
            await self._send(request.response(CommandStatus.INCORRECT_BIND_STATE))
            return True
        submission = smpp_pdu.parse_submit_sm(request.body)
        fault = self._centre.faults.next_fault(submission.destination)
        status, part = _accept(submission, fault)
        if part is None:
            await self._send(request.response(status))
            return True
        message_id = self._centre.next_message_id()
        self._centre.log.add(submission, part, message_id)
        return await self._respond(request, submission, message_id, fault)

    async def _respond(self, request: Pdu, submission: SubmitSm, message_id: str, fault: Mapping[str, object]) -> bool:
        await asyncio.sleep(float(str(fault.get("late_seconds", 0))))
        if fault.get("drop"):
            return False
        if not fault.get("silent"):
            await self._send(request.response(body=message_id.encode() + b"\0"))
        if submission.registered_delivery & WANTS_RECEIPT:
            state = str(fault.get("receipt", "DELIVRD"))
            self._centre.receipts[self._system_id].append(_encode_receipt(submission, message_id, state))
            await self._send_receipts()
        return True

    async def _send_receipts(self) -> None:
        """Send the pending receipts of this account, if a receiver is bound; otherwise they stay pending."""
        if self._bind not in {CommandId.BIND_RECEIVER, CommandId.BIND_TRANSCEIVER}:
            return
        pending = self._centre.receipts[self._system_id]
        while pending:
            self._sequence += 1
            await self._send(Pdu(command=CommandId.DELIVER_SM, sequence=self._sequence, body=pending[0]))
            pending.popleft()

    async def _send(self, pdu: Pdu) -> None:
        self._writer.write(pdu.pack())
        with contextlib.suppress(ConnectionResetError):
            await self._writer.drain()


def _accept(submission: SubmitSm, fault: Mapping[str, object]) -> tuple[int, sms_text.ReceivedSmsPart | None]:
    """Decide on a submission: return the status to refuse it with, or OK and its part of a message."""
    if "status" in fault:
        return int(str(fault["status"])), None
    if not submission.destination.lstrip("+").isdecimal():
        return CommandStatus.INVALID_DESTINATION, None
    match sms_text.parse_part(submission):
        case sms_text.ReceivedSmsPart() as part:
            return CommandStatus.OK, part
        case sms_text.UndecodableSms():
            return CommandStatus.INVALID_COMMAND_LENGTH, None


def _encode_receipt(submission: SubmitSm, message_id: str, state: str) -> bytes:
    """Encode a delivery receipt in the format of appendix B of the specification."""
    stamp = time.strftime("%y%m%d%H%M")
    delivered = int(state == "DELIVRD")
    error = "000" if delivered else "001"
    text = (
        f"id:{message_id} sub:001 dlvrd:{delivered:03d} submit date:{stamp} done date:{stamp} "
        f"stat:{state} err:{error} text:"
    )
    options = {
        Tag.RECEIPTED_MESSAGE_ID: message_id.encode() + b"\0",
        Tag.MESSAGE_STATE: struct.pack(">B", MESSAGE_STATES.get(state, MESSAGE_STATES["UNKNOWN"])),
    }
    return smpp_pdu.encode_receipt(submission, text, {int(tag): value for tag, value in options.items()})
