"""Trial sending: every message goes to one mailbox, whatever its channel and whoever it is for."""

import html as markup
from dataclasses import replace

from services.notifier.channels.message_channel import MessageChannel, OutgoingMessage, SendResult
from services.notifier.core.dispatch.refusals import RefusalFault

TRIAL = "trial"


class TrialChannel:
    """Sends by mail to *mailbox* what would have gone elsewhere, and says in the text where to.

    What the server says of the mailbox is no fault of the recipient, so it gives nobody up.
    """

    def __init__(self, mail: MessageChannel, mailbox: str) -> None:
        self._mail = mail
        self._mailbox = mailbox

    async def send(self, message: OutgoingMessage) -> SendResult:
        content, line = message.content, f"[Gửi thử / trial] {message.address}"
        html = content.html or f"<pre>{markup.escape(content.body)}</pre>"
        text = replace(
            content,
            subject=f"[Gửi thử] {content.subject or 'SMS'}",
            body=f"{line}\n\n{content.body}",
            html=f"<p>{markup.escape(line)}</p>\n{html}",
        )
        result = await self._mail.send(replace(message, address=self._mailbox, content=text))
        if result.refusal is not None and result.refusal.spends_attempt:
            return SendResult.from_refusal(
                replace(result.refusal, fault=RefusalFault.OURS, is_hard=False), result.reason or TRIAL
            )
        return replace(result, reason=result.reason or TRIAL)

    async def close(self) -> None:
        await self._mail.close()
