"""One SMPP session as the SMS centre sees it, and what all share. Decides the answers; leaves bytes to `smpp_pdu`."""

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
class SmsCentre:
    """What outlives a session: accounts, log, script, message counter, receipts nobody was there to take."""

    accounts: Mapping[str, str]
    log: SmsLog
    script: FaultScript
    message_number: int = 0
    receipts: defaultdict[str, deque[bytes]] = field(default_factory=lambda: defaultdict(deque))

    def next_message_id(self) -> str:
        self.message_number += 1
        return f"{self.message_number:08x}"


class SmscSession:
    """Reads one request after another and answers it; ends with the connection."""

    def __init__(self, centre: SmsCentre, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._centre = centre
        self._reader = reader
        self._writer = writer
        self._system_id = ""
        self._bind: int | None = None
        self._sequence = 0

    async def run(self) -> None:
        """Serve until the peer unbinds, hangs up, or sends what is no SMPP."""
        try:
            while request := await self._receive():
                if not await self._serve(request):
                    break
        except smpp_pdu.MalformedPduError:
            await self._send(
                Pdu(command=smpp_pdu.RESPONSE_BIT, sequence=0, status=CommandStatus.INVALID_COMMAND_LENGTH)
            )
        except ConnectionError:
            return  # the peer is gone, and with it the only one to tell
        finally:
            self._writer.close()

    async def _receive(self) -> Pdu | None:
        try:
            length, head = smpp_pdu.parse_header(await self._reader.readexactly(smpp_pdu.HEADER.size))
            body = await self._reader.readexactly(length)
        except asyncio.IncompleteReadError:
            return None
        return Pdu(command=head.command, sequence=head.sequence, status=head.status, body=body)

    async def _serve(self, request: Pdu) -> bool:
        """Answer one unit; say whether the session goes on."""
        if request.command & smpp_pdu.RESPONSE_BIT:
            return True  # the answer to a receipt of ours
        match request.command:
            case command if command in BINDS:
                await self._on_bind(request)
            case CommandId.SUBMIT_SM:
                return await self._on_submit(request)
            case CommandId.ENQUIRE_LINK:
                await self._send(request.answer())
            case CommandId.UNBIND:
                await self._send(request.answer())
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
        await self._send(request.answer(status, b"dondoc-local\0" if status is CommandStatus.OK else b""))
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
            await self._send(request.answer(CommandStatus.INCORRECT_BIND_STATE))
            return True
        submission = smpp_pdu.parse_submit_sm(request.body)
        act = self._centre.script.next_fault(submission.destination)
        status, part = _verdict(submission, act)
        if part is None:
            await self._send(request.answer(status))
            return True
        message_id = self._centre.next_message_id()
        self._centre.log.take(submission, part, message_id)
        return await self._answer(request, submission, message_id, act)

    async def _answer(self, request: Pdu, submission: SubmitSm, message_id: str, act: Mapping[str, object]) -> bool:
        await asyncio.sleep(float(str(act.get("late_seconds", 0))))
        if act.get("drop"):
            return False
        if not act.get("silent"):
            await self._send(request.answer(body=message_id.encode() + b"\0"))
        if submission.registered_delivery & WANTS_RECEIPT:
            state = str(act.get("receipt", "DELIVRD"))
            self._centre.receipts[self._system_id].append(_receipt(submission, message_id, state))
            await self._send_receipts()
        return True

    async def _send_receipts(self) -> None:
        """Hand over what waits for this account; with no receiver bound it goes on waiting."""
        if self._bind not in {CommandId.BIND_RECEIVER, CommandId.BIND_TRANSCEIVER}:
            return
        waiting = self._centre.receipts[self._system_id]
        while waiting:
            self._sequence += 1
            await self._send(Pdu(command=CommandId.DELIVER_SM, sequence=self._sequence, body=waiting[0]))
            waiting.popleft()

    async def _send(self, pdu: Pdu) -> None:
        self._writer.write(pdu.pack())
        with contextlib.suppress(ConnectionResetError):
            await self._writer.drain()


def _verdict(submission: SubmitSm, act: Mapping[str, object]) -> tuple[int, sms_text.ReceivedSmsPart | None]:
    """Decide whether a submission is taken: the status to refuse it with, or its part of a message."""
    if "status" in act:
        return int(str(act["status"])), None
    if not submission.destination.lstrip("+").isdecimal():
        return CommandStatus.INVALID_DESTINATION, None
    match sms_text.parse_part(submission):
        case sms_text.ReceivedSmsPart() as part:
            return CommandStatus.OK, part
        case sms_text.UndecodableSms():
            return CommandStatus.INVALID_COMMAND_LENGTH, None


def _receipt(submission: SubmitSm, message_id: str, state: str) -> bytes:
    """Write a delivery receipt in the form of the specification's appendix B."""
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
