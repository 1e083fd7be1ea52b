"""In a trial every message goes to one mailbox, and nobody is given up for what that mailbox answers."""

import asyncio

from schemas.events.deliveries import AttemptOutcome
from services.notifier.channels.message_channel import OutgoingMessage, SendResult
from services.notifier.channels.trial import TrialChannel
from services.notifier.core.dispatch import refusals
from services.notifier.core.dispatch.refusals import Phase
from services.notifier.core.rendering.render import RenderedMessage
from tests.unit.notifier.schedule_builders import DUE


class Mailbox:
    """A carrier that gives one answer and keeps what it was given."""

    def __init__(self, answer: SendResult) -> None:
        self.answer = answer
        self.sent: list[OutgoingMessage] = []

    async def send(self, message: OutgoingMessage) -> SendResult:
        """Take a message."""
        self.sent.append(message)
        return self.answer

    async def close(self) -> None:
        """Close nothing."""


def send(answer: SendResult) -> tuple[SendResult, OutgoingMessage]:
    """Send an SMS on trial; return the result and the mail."""
    content = RenderedMessage(subject=None, body="Han <09/12>", html=None, segments=1)
    sms = OutgoingMessage(
        id="a" * 64, address="+84912345678", message_id="<a@x>", language="vi", content=content, at=DUE
    )
    mailbox = Mailbox(answer)
    result = asyncio.run(TrialChannel(mailbox, "thu@x.example").send(sms))
    return result, mailbox.sent[0]


def test_an_sms_becomes_a_mail_to_the_trial_mailbox() -> None:
    """It names the number that would have got it, and its text is text in the HTML, too."""
    result, mail = send(SendResult(outcome=AttemptOutcome.ACCEPTED))
    assert (result.outcome, result.reason, mail.address) == (AttemptOutcome.ACCEPTED, "trial", "thu@x.example")
    assert "+84912345678" in mail.content.body
    assert "Han &lt;09/12&gt;" in (mail.content.html or "")


def test_a_trial_mailbox_that_does_not_exist_gives_no_recipient_up() -> None:
    """550 says something of the mailbox, which is our own mistake."""
    refused = SendResult.from_refusal(refusals.read_smtp_reply(Phase.RCPT, 550), "smtp_550")
    result, _ = send(refused)
    assert (result.outcome, result.reason) == (AttemptOutcome.TECHNICAL_FAILURE, "smtp_550")
