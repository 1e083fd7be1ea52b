"""Create the declared topics that are missing. It changes no topic; a wrong number of partitions is an error."""

import asyncio
from collections.abc import Iterator

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaConnectionError, KafkaError, for_code

from schemas.events.topics import DEAD_LETTER_CONFIG, TOPICS, WITH_DEAD_LETTERS
from services.runtime.kafka import clients
from services.runtime.settings import KafkaConfig

# Codes of the Kafka protocol: TOPIC_ALREADY_EXISTS, TOPIC_AUTHORIZATION_FAILED and CLUSTER_AUTHORIZATION_FAILED.
_ALREADY_EXISTS = 36
_NOT_AUTHORIZED = {29, 31}
_TIMEOUT_SECONDS = 30.0
_POLL_SECONDS = 0.1


class TopicsError(Exception):
    """The broker's topics differ from their declaration; the message says how. Their partitions can never change."""


class TopicsMissingError(TopicsError):
    """Topics are missing and this user may not create them. They appear when somebody who may does so."""


async def ensure_topics(config: KafkaConfig, partitions: int, replication: int = 1) -> None:
    """Create missing topics and return once every partition has a leader.

    The right to create topics is only needed where some are missing; without it `TopicsMissingError` is raised then.
    Raise `TopicsError` on a mismatch, `KafkaConnectionError` if the broker does not answer, and `BrokerRefusedError` if
    it refuses this client.
    """
    admin = await _connect(config)
    try:
        wanted = {topic.name: topic for topic in _new_topics(partitions, replication)}
        present = set(await admin.list_topics())
        missing = [topic for name, topic in wanted.items() if name not in present]
        if missing:
            _refuse_failures(await admin.create_topics(missing))
        await _until_led(admin, {name: topic.num_partitions for name, topic in wanted.items()})
    finally:
        await admin.close()


async def _connect(config: KafkaConfig) -> AIOKafkaAdminClient:
    """Return a connected client; raise `BrokerRefusedError` if the broker refuses it, else `KafkaConnectionError`."""
    admin = AIOKafkaAdminClient(**config.client())
    try:
        await admin.start()
    except KafkaConnectionError as cause:
        await admin.close()
        refusal = await clients.find_refusal(config)
        if refusal is not None:
            raise refusal from cause
        remedy = "look at DONDOC_KAFKA_BOOTSTRAP and DONDOC_KAFKA_SECURITY_PROTOCOL"
        place = f"the broker at {config.bootstrap} does not answer in {config.protocol}"
        raise KafkaConnectionError(f"{place}; {remedy}") from cause
    except BaseException:
        await admin.close()
        raise
    return admin


def _new_topics(partitions: int, replication: int) -> Iterator[NewTopic]:
    # With three replicas two must have a record before it counts as written; with fewer replicas all of them.
    durable = {"min.insync.replicas": str(min(2, replication))}
    for topic in TOPICS:
        count = partitions if topic.is_partitioned else 1
        yield NewTopic(topic.name, count, replication, topic_configs={**dict(topic.config), **durable})
    for topic in WITH_DEAD_LETTERS:
        config = {**dict(DEAD_LETTER_CONFIG), **durable}
        yield NewTopic(topic.dead_letter, partitions, replication, topic_configs=config)


def _refuse_failures(response: object) -> None:
    failures = {name: (code, detail) for name, code, *detail in getattr(response, "topic_errors", ())}
    refused = sorted(name for name, (code, _detail) in failures.items() if code in _NOT_AUTHORIZED)
    if refused:
        # The broker lists only the topics that a user may see, so one that it may not see looks missing.
        raise TopicsMissingError(
            f"{', '.join(refused)}: missing, or not to be seen by this user, which may not create them;"
            " `dondoc publish` creates them, and docs/reference/acls.md names the rights"
        )
    for name, (code, detail) in failures.items():
        if code not in {0, _ALREADY_EXISTS}:  # another service may have created it first
            raise TopicsError(f"{name}: {for_code(code).__name__} {detail}")


async def _until_led(admin: AIOKafkaAdminClient, counts: dict[str, int]) -> None:
    led: dict[str, int] = {}
    deadline = asyncio.get_running_loop().time() + _TIMEOUT_SECONDS
    while True:
        found = await _partitions(admin, list(counts))
        led = {name: sum(1 for leader in leaders if leader >= 0) for name, leaders in found.items()}
        if all(led.get(name, 0) == len(found.get(name, ())) > 0 for name in counts):
            break
        if asyncio.get_running_loop().time() > deadline:
            raise TopicsError(f"no leader after {_TIMEOUT_SECONDS:.0f} s: {sorted(set(counts) - set(led))}")
        await asyncio.sleep(_POLL_SECONDS)
    for name, count in counts.items():
        if led[name] != count:
            raise TopicsError(f"{name} has {led[name]} partitions, {count} are set; set DONDOC_PARTITIONS={led[name]}")


async def _partitions(admin: AIOKafkaAdminClient, names: list[str]) -> dict[str, list[int]]:
    """Return the leader of each partition by topic; an empty mapping while the broker does not know all the topics."""
    try:
        described = await admin.describe_topics(names)
    except KafkaError:
        return {}
    return {one["topic"]: [part["leader"] for part in one["partitions"]] for one in described}
