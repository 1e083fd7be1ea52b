"""What a mail server or an SMS centre answered, as evidence that may be kept: without the address that it may quote."""

import re

LONGEST_ANSWER = 200
_MAIL_ADDRESS = re.compile(r"<?[^\s<>]*@[^\s<>]*>?")
_WORD_LETTERS_MIN = 3
_SUBSCRIBER_DIGITS = 9  # of a Vietnamese number, behind 0, 84 or +84
_HIDDEN = "…"


def scrub_answer(answer: str, address: str) -> str:
    """Return *answer* in one line, without *address*, the part of it before the `@`, or any other mail address.

    Servers quote whom they refuse. Example: `550 5.1.1 …: Recipient address rejected`.
    """
    shown = _MAIL_ADDRESS.sub(_HIDDEN, "".join(one if one.isprintable() else " " for one in answer))
    mailbox, _, domain = address.partition("@")
    if domain:
        if len(mailbox) >= _WORD_LETTERS_MIN:
            shown = re.sub(rf"(?<!\w){re.escape(mailbox)}(?!\w)", _HIDDEN, shown, flags=re.IGNORECASE)
    else:
        digits = re.sub(r"\D", "", address)[-_SUBSCRIBER_DIGITS:]
        shown = re.sub(rf"\+?\d*{digits}", _HIDDEN, shown) if len(digits) == _SUBSCRIBER_DIGITS else shown
    return " ".join(shown.split())[:LONGEST_ANSWER]
