"""Digests: what one recipient gets at one time on one channel goes into one message."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from schemas.events.deliveries import Channel
from schemas.events.ids import digest
from services.notifier.core.scheduling.routing import Contact
from services.notifier.core.scheduling.scheduled_alert import SEVERITY, Telling


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What one agency or list is told at one time on one channel, most pressing first; to nobody without contacts."""

    to_agency: str
    channel: Channel
    tellings: tuple[Telling, ...]
    contacts: tuple[Contact, ...] = ()

    @property
    def alert(self) -> str:
        """The identity of the alert: (agency, duties and steps, channel), whoever of the agency reads it."""
        return digest("alert", self.to_agency, self.channel.value, *sorted(one.identity for one in self.tellings))

    @property
    def lead(self) -> Telling:
        """The most pressing telling: it gives the message its kind and step."""
        return self.tellings[0]


def gathered(
    told: Mapping[str, Iterable[Telling]], reached: Mapping[str, Mapping[Channel, tuple[Contact, ...]]]
) -> list[Notice]:
    """Return one notice for each destination of *told* and channel on which *reached* knows somebody.

    A destination where nobody is reached yields one notice without contacts, so that the silence is recorded.
    """
    notices = []
    for to_agency in sorted(told):
        tellings = tuple(sorted(told[to_agency], key=_urgency))
        channels = reached.get(to_agency) or {Channel.EMAIL: ()}
        notices += [
            Notice(to_agency=to_agency, channel=channel, tellings=tellings, contacts=channels[channel])
            for channel in sorted(channels)
        ]
    return notices


def _urgency(telling: Telling) -> tuple[int, str, str]:
    due = telling.call.due_at.isoformat() if telling.call.due_at else "9999"
    return -SEVERITY[telling.call.kind], due, str(telling.duty)
