"""The declaration of every topic (contract section 2): its name, its partitioning and its retention."""

from dataclasses import dataclass

DEFAULT_PARTITIONS = 12

# The log is the system of record: the brokers' default would delete it after a week.
FOREVER = {"retention.ms": "-1", "retention.bytes": "-1", "cleanup.policy": "delete"}
COMPACTED = {"cleanup.policy": "compact"}

# The broker compacts no segment that it still writes to, and by default it writes to one up to 1 GiB, or for a week. A
# restore would read every version of a duty since then. A segment has to hold the largest record.
ROLLED = {"segment.bytes": "33554432", "segment.ms": "86400000", "min.cleanable.dirty.ratio": "0.2"}

# A report has at most 1 MiB; the state that rules keeps of a duty, with all corrections, at most half of this.
LARGE = {"max.message.bytes": "16777216"}

# Records bear the time of the service's clock. In a rehearsal that clock is steered, so no distance from the broker's
# own time may make the broker refuse a record.
EVENT_TIME = {
    "message.timestamp.type": "CreateTime",
    "message.timestamp.after.max.ms": "9223372036854775807",
    "message.timestamp.before.max.ms": "9223372036854775807",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """A topic. Those with `is_partitioned` have one common number of partitions, which never changes."""

    name: str
    description: str
    config: tuple[tuple[str, str], ...]
    is_partitioned: bool = True

    @property
    def dead_letter(self) -> str:
        """The name of the topic that receives the dead letters of this one."""
        return f"{self.name}.dead-letter"


def _config(*parts: dict[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted({key: value for part in parts for key, value in part.items()}.items()))


FACTS = Topic(
    name="dondoc.facts.v1",
    description="everything that happened, in order per agency",
    config=_config(FOREVER, EVENT_TIME, LARGE),
)
VERDICTS = Topic(
    name="dondoc.verdicts.v1", description="what rules concluded", config=_config(FOREVER, EVENT_TIME, LARGE)
)
DUTIES = Topic(
    name="dondoc.duties.v1",
    description="what rules knows of each duty",
    config=_config(COMPACTED, ROLLED, EVENT_TIME, LARGE),
)
DELIVERIES = Topic(
    name="dondoc.deliveries.v1",
    description="what the notifier did, without addresses",
    config=_config(FOREVER, EVENT_TIME),
)
REPORTS = Topic(
    name="dondoc.reports.v1",
    description="sealed reports with their documents, and evaluations",
    config=_config(FOREVER, EVENT_TIME, LARGE),
)
REFERENCES = Topic(
    name="dondoc.references.v1",
    description="the published plan and registry versions",
    config=_config(COMPACTED, EVENT_TIME, LARGE),
    is_partitioned=False,
)
TOPICS = (FACTS, VERDICTS, DUTIES, DELIVERIES, REPORTS, REFERENCES)
WITH_DEAD_LETTERS = (FACTS, VERDICTS, DELIVERIES, REPORTS)

# A dead letter is the record plus headers with the reason, so its topic must accept slightly larger records.
DEAD_LETTER_CONFIG = _config(FOREVER, EVENT_TIME, {"max.message.bytes": str(17 * 1024 * 1024)})
