"""SMS centres not written here, each honest, dead, silent, slow, throttling or lying. Run by `make clients`."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from deploy.local.process.daemon import Daemon, Program
from deploy.local.process.ports import free_ports
from schemas.events.deliveries import AttemptOutcome
from services.notifier.channels.message_channel import OutgoingMessage, SendResult
from services.notifier.channels.smpp_session import SmsCentre
from services.notifier.channels.sms_smpp import SmppOptions, SmsChannel
from services.notifier.core.dispatch.receipts import DeliveryReceipt, MessageIds
from services.notifier.core.dispatch.refusals import RefusalFault
from services.notifier.core.rendering.render import RenderedMessage
from tests.support.assertions.eventually import eventually
from tests.support.clients.notifier import NOON
from tests.support.mail.smtp_sink import is_listening

PREPARED = Path(os.environ.get("DONDOC_TEST_CLIENTS", ""))  # where `prepare.sh` has left them
COMMANDS = {
    "npm smpp": ["node", str(PREPARED / "sms-npm" / "centre.mjs")],
    "jSMPP": ["java", "-cp", f"{PREPARED}/sms-jsmpp{os.pathsep}{PREPARED}/sms-jsmpp/*", "Centre"],
}
NEEDED = {"npm smpp": "sms-npm/node_modules/smpp", "jSMPP": "sms-jsmpp/Centre.class"}
# Both where nothing is prepared, so that a run without `make clients` fails and does not pass for want of tests.
CENTRES = [one for one, file in NEEDED.items() if (PREPARED / file).exists()] or list(NEEDED)

ANSWER_SECONDS = 3.0  # the slow centre takes 0.4
QUICK_SECONDS = 0.5  # where no answer comes
HARD = "Nhắc hạn: Sở Tài chính chưa gửi báo cáo quý III/2026. "
both = pytest.mark.parametrize("library", CENTRES)


@dataclass
class Centre:
    """A running centre, a channel to it, and the receipts that the channel understood or did not."""

    channel: SmsChannel
    log: Path
    receipts: list[DeliveryReceipt] = field(default_factory=list)
    unreadable: list[bool] = field(default_factory=list)

    def lines(self, request: str) -> list[str]:
        """Return what the centre printed of that kind of request."""
        return [one for one in self.log.read_text(encoding="utf-8").splitlines() if one.startswith(request)]

    async def send(self, text: str = "Nhac han") -> SendResult:
        """Send one SMS."""
        content = RenderedMessage(subject=None, body=text, html=None, segments=1)
        return await self.channel.send(
            OutgoingMessage(
                id="ab" * 32, address="+84912345678", message_id="", language="vi", content=content, at=NOON
            )
        )

    async def wait_for_receipts(self, count: int) -> list[DeliveryReceipt]:
        """Wait for that many receipts that were understood."""
        return await eventually(lambda: self.receipts if len(self.receipts) >= count else [], f"{count} receipts")


@asynccontextmanager
async def open_centre(
    folder: Path, library: str, manner: str, *, seconds: float = ANSWER_SECONDS, ids: MessageIds = MessageIds.AS_WRITTEN
) -> AsyncIterator[Centre]:
    """Start a centre of *library* that behaves in that *manner*, and a channel that waits *seconds* for its answers."""
    (port,) = free_ports(1)
    command = (*COMMANDS[library], manner, str(port))
    program = Program(name="centre", command=command, folder=folder, is_ready=lambda: is_listening(port))
    server = Daemon(program)
    receipts: list[DeliveryReceipt] = []
    unreadable: list[bool] = []

    async def take_receipt(receipt: DeliveryReceipt) -> None:
        receipts.append(receipt)

    channel = SmsChannel(
        SmsCentre(
            host="127.0.0.1",
            port=port,
            system_id="dondoc",
            password="dondoc",
            sender="DONDOC",
            timeout_seconds=seconds,
            window=4,
        ),
        SmppOptions(message_ids=ids),
        on_receipt=take_receipt,
        on_unreadable=lambda: unreadable.append(True),
    )
    server.start()
    channel.start()
    try:
        yield Centre(channel, program.log, receipts, unreadable)
    finally:
        await channel.close()
        server.kill()


@both
async def test_an_sms_is_accepted_and_its_receipt_confirms_it(tmp_path: Path, library: str) -> None:
    """The receipt names the id that the centre gave in its answer."""
    async with open_centre(tmp_path, library, "honest") as centre:
        sent = await centre.send()
        assert sent.outcome is AttemptOutcome.ACCEPTED
        (receipt,) = await centre.wait_for_receipts(1)
        assert (receipt.outcome, set(receipt.ids) >= set(sent.provider_ids)) == (AttemptOutcome.CONFIRMED, True)


@both
async def test_receipts_that_write_ids_in_decimal_find_their_message(tmp_path: Path, library: str) -> None:
    """The answer has the id in hexadecimal digits, the receipt in decimal ones."""
    ids = MessageIds.HEX_TO_DECIMAL
    async with open_centre(tmp_path, library, "decimal-receipts", ids=ids) as centre:
        sent = await centre.send()
        (receipt,) = await centre.wait_for_receipts(1)
        assert sent.provider_ids
        assert set(receipt.ids) >= set(sent.provider_ids)


@both
async def test_a_slow_centre_gets_a_window_full_and_loses_nothing(tmp_path: Path, library: str) -> None:
    """Twelve SMS through a window of four: each is accepted under an id of its own."""
    async with open_centre(tmp_path, library, "slow", seconds=10 * ANSWER_SECONDS) as centre:
        sent = await asyncio.gather(*(centre.send() for _ in range(12)))
        assert {one.outcome for one in sent} == {AttemptOutcome.ACCEPTED}
        assert len({one.provider_ids for one in sent}) == len(centre.lines("submit_sm")) == 12


@both
@pytest.mark.parametrize("manner", ["throttling", "full"])
async def test_a_centre_that_asks_for_less_is_busy(tmp_path: Path, library: str, manner: str) -> None:
    """ESME_RTHROTTLED and ESME_RMSGQFUL spend no attempt and slow the route down."""
    async with open_centre(tmp_path, library, manner) as centre:
        sent = await centre.send()
        assert sent.outcome is AttemptOutcome.TEMPORARY_FAILURE
        assert sent.refusal is not None
        assert sent.refusal.fault is RefusalFault.BUSY


@both
async def test_a_centre_that_does_not_answer_the_bind_is_sent_nothing(tmp_path: Path, library: str) -> None:
    """It takes the connection and is dead: the SMS may be tried again."""
    async with open_centre(tmp_path, library, "dead", seconds=QUICK_SECONDS) as centre:
        assert (await centre.send()).outcome is AttemptOutcome.TECHNICAL_FAILURE
        assert not centre.lines("submit_sm")


@both
async def test_a_centre_that_falls_silent_leaves_one_unknown(tmp_path: Path, library: str) -> None:
    """The SMS was handed over and may have gone out, so nobody may send it again."""
    async with open_centre(tmp_path, library, "silent") as centre:
        assert (await centre.send()).outcome is AttemptOutcome.UNKNOWN
        assert len(centre.lines("submit_sm")) == 1


@pytest.mark.parametrize("library", [one for one in CENTRES if one == "npm smpp"])
class TestLyingCentres:
    """What only the npm package can be made to say."""

    async def test_an_answer_without_an_id_is_no_more_than_accepted(self, tmp_path: Path, library: str) -> None:
        """No receipt can name the message, so none is waited for under an empty id."""
        async with open_centre(tmp_path, library, "without-id") as centre:
            sent = await centre.send()
            assert (sent.outcome, sent.provider_ids) == (AttemptOutcome.ACCEPTED, ())

    async def test_an_answer_to_another_request_is_no_answer(self, tmp_path: Path, library: str) -> None:
        """Its sequence number was never used: whether the SMS was taken is unknown."""
        async with open_centre(tmp_path, library, "wrong-sequence", seconds=QUICK_SECONDS) as centre:
            assert (await centre.send()).outcome is AttemptOutcome.UNKNOWN

    async def test_receipts_that_lie_change_no_other_message(self, tmp_path: Path, library: str) -> None:
        """One names a message that never was, one a state that there is not; the true one still counts."""
        async with open_centre(tmp_path, library, "lying") as centre:
            sent = await centre.send()
            foreign, true = await centre.wait_for_receipts(2)
            assert not set(foreign.ids) & set(sent.provider_ids)
            assert (true.outcome, set(true.ids) >= set(sent.provider_ids)) == (AttemptOutcome.CONFIRMED, True)
            assert centre.unreadable == [True]

    async def test_a_receipt_before_the_answer_is_taken(self, tmp_path: Path, library: str) -> None:
        """It names the id that the answer gives a moment later."""
        async with open_centre(tmp_path, library, "early") as centre:
            sent = await centre.send()
            (receipt,) = await centre.wait_for_receipts(1)
            assert set(receipt.ids) >= set(sent.provider_ids)

    async def test_a_long_vietnamese_text_is_read_as_it_was_written(self, tmp_path: Path, library: str) -> None:
        """The parts that the package decodes are the text, letter by letter."""
        async with open_centre(tmp_path, library, "honest") as centre:
            sent = await centre.send(HARD * 3)
            parts = [one.split(" ", 2)[2] for one in centre.lines("submit_sm")]
            assert len(sent.provider_ids) == len(parts) > 1
            assert "".join(parts) == HARD * 3
