"""Who may do what on the broker: one user for each service, and for each of the console's duties.

This is the only place where it is written. `python -m deploy.kafka` makes the commands for `kafka-acls.sh`, the
manifests for Strimzi and the page in docs/reference from it; tests try it against a real broker with an authorizer.
What is not allowed here is forbidden, once the broker has an authorizer and `allow.everyone.if.no.acl.found` is false.
"""

from dataclasses import dataclass
from enum import StrEnum

from schemas.events.topics import DELIVERIES, DUTIES, FACTS, REFERENCES, REPORTS, VERDICTS, WITH_DEAD_LETTERS

ALL_TOPICS = "dondoc."  # the prefix of every topic of the system


class Resource(StrEnum):
    """What a right is about, as Kafka calls it."""

    TOPIC = "topic"
    GROUP = "group"
    TRANSACTIONAL_ID = "transactional-id"


class Operation(StrEnum):
    """What is allowed, as Kafka calls it. `Read` and `Write` include `Describe`."""

    CREATE = "Create"
    DESCRIBE = "Describe"
    READ = "Read"
    WRITE = "Write"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRight:
    """Operations on one resource, or on all whose names begin with *name*."""

    resource: Resource
    name: str
    operations: tuple[Operation, ...]
    reason: str
    is_prefix: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BusUser:
    """A user of the broker and its rights."""

    name: str
    purpose: str
    rights: tuple[AccessRight, ...]


def _topic(name: str, *operations: Operation, reason: str) -> AccessRight:
    return AccessRight(resource=Resource.TOPIC, name=name, operations=operations, reason=reason)


def _group(prefix: str, operation: Operation, reason: str) -> AccessRight:
    return AccessRight(resource=Resource.GROUP, name=prefix, operations=(operation,), reason=reason, is_prefix=True)


CREATE, DESCRIBE, READ, WRITE = Operation.CREATE, Operation.DESCRIBE, Operation.READ, Operation.WRITE

# At its start every service looks whether the topics are there and have the right number of partitions.
_SEES_TOPICS = AccessRight(
    resource=Resource.TOPIC,
    name=ALL_TOPICS,
    operations=(DESCRIBE,),
    reason="checks at the start that every topic is there",
    is_prefix=True,
)
_READS_PLANS = _topic(REFERENCES.name, READ, reason="reads the published plans and registries")
_SHOWS_DEAD_LETTERS = tuple(
    _topic(topic.dead_letter, READ, reason="`dondoc dead-letters` lists and shows them") for topic in WITH_DEAD_LETTERS
)

INTAKE = BusUser(
    name="dondoc-intake",
    purpose="intake",
    rights=(
        _SEES_TOPICS,
        _READS_PLANS,
        _topic(FACTS.name, READ, WRITE, reason="appends the events that it accepts, and reads them for repetitions"),
    ),
)
RULES = BusUser(
    name="dondoc-rules",
    purpose="rules; `dondoc dead-letters` of facts and verdicts",
    rights=(
        _SEES_TOPICS,
        _READS_PLANS,
        _topic(FACTS.name, READ, WRITE, reason="assesses the facts, and appends the adoptions of plans"),
        _topic(VERDICTS.name, READ, WRITE, reason="publishes assessments, and reads them when it rebuilds its state"),
        _topic(DUTIES.name, READ, WRITE, reason="keeps its state"),
        *_SHOWS_DEAD_LETTERS,
        _topic(FACTS.dead_letter, WRITE, reason="sets facts aside"),
        _group("dondoc-rules", READ, "consumes the facts"),
        AccessRight(
            resource=Resource.TRANSACTIONAL_ID,
            name="dondoc-rules-",
            operations=(WRITE,),
            reason="writes each batch in one transaction",
            is_prefix=True,
        ),
    ),
)
NOTIFIER = BusUser(
    name="dondoc-notifier",
    purpose="notifier; `dondoc dead-letters` of deliveries",
    rights=(
        _SEES_TOPICS,
        _READS_PLANS,
        _topic(VERDICTS.name, READ, reason="follows the assessments"),
        _topic(DELIVERIES.name, READ, WRITE, reason="publishes what became of each alert"),
        *_SHOWS_DEAD_LETTERS,
        _topic(VERDICTS.dead_letter, WRITE, reason="sets assessments aside"),
        _group("dondoc.notifier", READ, "consumes the assessments"),
    ),
)
REPORTING = BusUser(
    name="dondoc-reporting",
    purpose="reporting",
    rights=(
        _SEES_TOPICS,
        _READS_PLANS,
        _topic(FACTS.name, READ, reason="stores the receipts"),
        _topic(VERDICTS.name, READ, reason="stores the assessments"),
        _topic(DELIVERIES.name, READ, reason="stores what became of each alert"),
        _topic(REPORTS.name, READ, WRITE, reason="seals reports, records evaluations, and stores both"),
        *_SHOWS_DEAD_LETTERS,
        *(_topic(topic.dead_letter, WRITE, reason="sets records aside") for topic in WITH_DEAD_LETTERS),
        _group("dondoc-reporting", READ, "consumes facts, assessments, deliveries and reports"),
        _group("dondoc-rules", DESCRIBE, "looks how far rules has read the facts that a seal rests on"),
        AccessRight(
            resource=Resource.TRANSACTIONAL_ID,
            name="dondoc-reporting-",
            operations=(WRITE,),
            reason="writes each sealed version in one transaction",
            is_prefix=True,
        ),
    ),
)
PUBLISH = BusUser(
    name="dondoc-publish",
    purpose="`dondoc publish`, the first step of an installation",
    rights=(
        AccessRight(
            resource=Resource.TOPIC,
            name=ALL_TOPICS,
            operations=(CREATE, DESCRIBE),
            reason="creates the topics that are missing; no service may",
            is_prefix=True,
        ),
        _topic(REFERENCES.name, READ, WRITE, reason="publishes plans and registries, and reads what is published"),
    ),
)
AUDIT = BusUser(
    name="dondoc-audit",
    purpose="`dondoc audit`",
    rights=(
        _READS_PLANS,
        _topic(FACTS.name, READ, reason="rebuilds the duties from the facts"),
        _topic(FACTS.dead_letter, READ, reason="leaves out what rules has set aside"),
        _topic(VERDICTS.name, READ, reason="looks whether reporting has read them all"),
        _topic(DUTIES.name, READ, reason="looks whether a partition has had another log before"),
        _topic(DELIVERIES.name, READ, reason="counts the alerts of each duty"),
        _topic(REPORTS.name, READ, reason="compares the sealed versions with the log"),
        _group("dondoc-rules", DESCRIBE, "looks how far rules has read"),
        _group("dondoc-reporting", DESCRIBE, "looks how far reporting has read"),
    ),
)

USERS = (INTAKE, RULES, NOTIFIER, REPORTING, PUBLISH, AUDIT)
