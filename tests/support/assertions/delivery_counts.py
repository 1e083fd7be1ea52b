"""What became of the alerts of a storm: lost, sent twice, and of unknown outcome, by what the servers received.

A mail is lost if it never arrived; an SMS, which is not sent again, if its record does not say either that this is
unknown. A message is doubled unseen if there are more copies of it than attempts on record that may have arrived.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from schemas.events.deliveries import AttemptOutcome, Channel
from tests.support.clients.notifier import NotifierClient


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryCounts:
    """The counts of one channel. `ids` are the different Message-IDs that arrived, where there are any."""

    channel: Channel
    alerts: int
    arrived: int
    lost: int
    doubled: int
    doubled_unseen: int
    unknown: int
    ids: int = 0

    def __str__(self) -> str:
        return (
            f"{self.channel.value}: {self.alerts} alerts, {self.arrived} arrived, {self.lost} lost, "
            f"{self.doubled} doubled, {self.doubled_unseen} of them unseen, {self.unknown} unknown"
        )


async def count_deliveries(
    notifier: NotifierClient, agencies: Collection[str], numbers: Mapping[str, str]
) -> tuple[DeliveryCounts, DeliveryCounts]:
    """Count the mails to *agencies*, and the SMS to *numbers* by agency; each of them has one alert."""
    attempts = await notifier.read_attempts()
    unknown = Counter((one.channel, one.to_agency) for one in attempts if one.outcome is AttemptOutcome.UNKNOWN)
    mails = notifier.smtp.mails()
    mailed = Counter(str(mail["To"]).removeprefix("van-thu@").removesuffix(".example") for mail in mails)
    ids = len({(str(mail["To"]), str(mail["Message-ID"])) for mail in mails})
    texted = Counter(str(message["to"]) for message in notifier.smsc.messages())
    by_agency = Counter({agency: texted[number.removeprefix("+")] for agency, number in numbers.items()})
    return (
        _count(Channel.EMAIL, agencies, mailed, unknown, ids=ids),
        _count(Channel.SMS, numbers, by_agency, unknown),
    )


def _count(
    channel: Channel,
    agencies: Collection[str],
    arrived: Counter[str],
    unknown: Counter[tuple[Channel, str]],
    ids: int = 0,
) -> DeliveryCounts:
    in_doubt = {agency: unknown[channel, agency] for agency in agencies}
    return DeliveryCounts(
        channel=channel,
        alerts=len(agencies),
        arrived=arrived.total(),
        lost=sum(not arrived[one] and not (in_doubt[one] and channel is Channel.SMS) for one in agencies),
        doubled=sum(max(0, arrived[one] - 1) for one in agencies),
        doubled_unseen=sum(max(0, arrived[one] - 1 - in_doubt[one]) for one in agencies),
        unknown=sum(in_doubt.values()),
        ids=ids,
    )
