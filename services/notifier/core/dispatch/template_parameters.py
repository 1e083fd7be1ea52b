"""The values that a provider's approved template is filled with, where it does not take a text (Zalo ZNS)."""

from collections.abc import Mapping
from datetime import datetime

from services.notifier.core.rendering import template_context
from services.notifier.core.scheduling.delivery import Delivery
from services.notifier.core.scheduling.digest import DocumentVersions

NAMES = ("agency", "receiver", "report", "period", "deadline", "count")


def describe_delivery(delivery: Delivery, documents: DocumentVersions, now: datetime) -> Mapping[str, str]:
    """Return the values of `NAMES`, those of the most pressing alert; `count` is how many duties there are.

    Raises `LookupError` if a cited document has not been published.
    """
    context = template_context.build_context(delivery.lead, documents, language=delivery.language, now=now)
    deadline = context.next_deadline
    return {
        "agency": context.agency,
        "receiver": context.receiver or "",
        "report": context.title,
        "period": context.period or "",
        "deadline": "" if deadline is None else deadline.last_day.strftime("%d/%m/%Y"),
        "count": str(len(delivery.alerts)),
    }
