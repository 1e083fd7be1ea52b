"""The values that a provider's approved template is filled with, where it does not take a text (Zalo ZNS)."""

from collections.abc import Mapping
from datetime import datetime

from services.notifier.core.rendering import letter_facts
from services.notifier.core.rendering.letter import WORDS
from services.notifier.core.scheduling.letter_history import NO_HISTORY
from services.notifier.core.scheduling.routing import Delivery, DocumentVersions

NAMES = ("agency", "receiver", "report", "period", "deadline", "count")


def describe_delivery(delivery: Delivery, documents: DocumentVersions, now: datetime) -> Mapping[str, str]:
    """Return the values of `NAMES`, those of the most pressing alert; `count` is how many duties there are.

    Raises `LookupError` if a cited document has not been published.
    """
    words = WORDS[delivery.language]
    facts = letter_facts.find_facts(delivery.lead, documents, words, now=now, history=NO_HISTORY)
    deadline = facts.respond_by or facts.deadline
    return {
        "agency": facts.agency.full,
        "receiver": facts.receiver.full,
        "report": facts.obligation.letter_title.in_language(delivery.language),
        "period": delivery.lead.duty.period or "",
        "deadline": "" if deadline is None else deadline.last_day.strftime("%d/%m/%Y"),
        "count": str(len(delivery.alerts)),
    }
