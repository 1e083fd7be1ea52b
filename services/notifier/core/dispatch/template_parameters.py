"""The values that a provider's approved template is filled with, where it does not take a text (Zalo ZNS)."""

from collections.abc import Mapping
from datetime import datetime

from services.notifier.core.rendering import letter_facts
from services.notifier.core.rendering.letter import WORDS
from services.notifier.core.scheduling.delivery import Delivery
from services.notifier.core.scheduling.digest import DocumentVersions
from services.notifier.core.scheduling.sent_alerts import NO_HISTORY

NAMES = ("agency", "receiver", "report", "period", "deadline", "count")


def describe_delivery(delivery: Delivery, documents: DocumentVersions, now: datetime) -> Mapping[str, str]:
    """Return the values of `NAMES`, those of the most pressing alert; `count` is how many duties there are.

    Raises `LookupError` if a cited document has not been published.
    """
    language = delivery.language
    facts = letter_facts.find_facts(delivery.lead, documents, WORDS[language], now=now, history=NO_HISTORY)
    return {
        "agency": facts.agency.full,
        "receiver": facts.receiver.full,
        "report": facts.obligation.letter_title.in_language(language),
        "period": delivery.lead.duty.period or "",
        "deadline": "" if facts.deadline is None else facts.deadline.last_day.strftime("%d/%m/%Y"),
        "count": str(len(delivery.alerts)),
    }
