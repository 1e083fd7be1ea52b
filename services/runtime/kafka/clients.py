"""What aiokafka's clients leave to their users: explain why a broker refuses a client, and stop cleanly and in time."""

import asyncio
import ssl
from collections.abc import Coroutine, Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.client import AIOKafkaClient
from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    IllegalSaslStateError,
    KafkaError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
    UnsupportedSaslMechanismError,
)

from services.runtime.settings import KafkaConfig

# For one connection that is made only to learn why no client could start.
PROBE_TIMEOUT_MS = 5_000

# For leaving the group and for the requests under way. A broker that hangs answers neither.
STOP_SECONDS = 3.0

RIGHTS = "docs/reference/acls.md names the rights of each service, and deploy/kafka/acls.sh gives them"


class BrokerRefusedError(KafkaError):  # type: ignore[misc]  # aiokafka has no annotations
    """The broker answers but refuses this client, or this client does not trust it; asking again alone does not help.

    `message` names the broker's address, the reason and the setting to check; `reason` leaves the address out.
    """

    def __init__(self, address: str, refusal: str) -> None:
        self.message = f"the broker at {address} {refusal}"
        self.reason = f"the broker {refusal}"
        super().__init__(self.message)


class AccessDeniedError(KafkaError):  # type: ignore[misc]  # aiokafka has no annotations
    """The broker denies this client `right`, which its own error does not name."""

    def __init__(self, right: str) -> None:
        self.right = right
        super().__init__(right)


def explain_denial(error: BaseException, *, on_topic: str = "Read") -> str | None:
    """Return which right an access control list of the broker denies this client; None if *error* is another one.

    The cause of *error* counts as well.

    *on_topic* is the operation that the client tried where the error is about a topic: the broker names only the topic.
    """
    match error:
        case AccessDeniedError():
            right = error.right
        case TopicAuthorizationFailedError():
            right = f"{on_topic} on topic {_name_resource(error)}"
        case GroupAuthorizationFailedError():
            right = f"Read on group {_name_resource(error)}"
        case TransactionalIdAuthorizationFailed():
            right = f"Write on transactional id {_name_resource(error)}"
        case ClusterAuthorizationFailedError():
            right = "an operation on the cluster"
        case _:
            return None if error.__cause__ is None else explain_denial(error.__cause__, on_topic=on_topic)
    return f"the broker denies this user {right}; {RIGHTS}"


def _name_resource(error: KafkaError) -> str:
    """Return what *error* is about: aiokafka gives it a name, a set of names or a sentence."""
    named = error.args[0] if error.args else "(not named)"
    return ", ".join(sorted(named)) if isinstance(named, set | frozenset | list | tuple) else str(named)


async def find_refusal(config: KafkaConfig) -> BrokerRefusedError | None:
    """Return why a broker refuses a client with *config*, with the setting to check; None if none can be reached.

    It connects once more itself: aiokafka raises the same error for a wrong password as for an absent broker, and
    writes the difference only to its log.
    """
    for host, port, _ in collect_hosts(config.servers):
        refusal = _explain(await _failure(config.security(), host=host, port=port))
        if refusal is not None:
            return BrokerRefusedError(f"{host}:{port}", refusal)
    return None


async def _failure(security: Mapping[str, Any], *, host: str, port: int) -> BaseException | None:
    try:
        connection = await create_conn(host, port, request_timeout_ms=PROBE_TIMEOUT_MS, **security)
    except (KafkaError, OSError, TimeoutError) as cause:
        return cause.__cause__ or cause  # aiokafka wraps the TLS or SASL error that ended the connection
    connection.close()
    return None


def _explain(failure: BaseException | None) -> str | None:
    """Return what the broker does and the remedy; None for a failure that may not occur at the next attempt."""
    match failure:
        case ssl.SSLCertVerificationError():
            remedy = "look at DONDOC_KAFKA_CA_FILE and at the name in DONDOC_KAFKA_BOOTSTRAP"
            return f"shows a certificate that is not trusted: {failure.verify_message}; {remedy}"
        case ssl.SSLEOFError() | ssl.SSLZeroReturnError():
            # A broker that is stopping ends a handshake like this as well.
            return None
        case ssl.SSLError():
            remedy = "look at DONDOC_KAFKA_CERTIFICATE_FILE and DONDOC_KAFKA_SECURITY_PROTOCOL"
            return f"breaks TLS off: {failure.reason}; {remedy}"
        case SaslAuthenticationFailed():
            remedy = "look at DONDOC_KAFKA_USERNAME and DONDOC_KAFKA_PASSWORD_FILE"
            return f"does not take this user with this password: {failure}; {remedy}"
        case UnsupportedSaslMechanismError() | IllegalSaslStateError():
            remedy = "look at DONDOC_KAFKA_SASL_MECHANISM and DONDOC_KAFKA_SECURITY_PROTOCOL"
            return f"does not authenticate like this: {failure}; {remedy}"
        case _:
            return None


async def start_producer(config: KafkaConfig, topic: str, **options: Any) -> AIOKafkaProducer:  # noqa: ANN401 - options of aiokafka
    """Return a connected idempotent producer for *topic*; raise `KafkaError` or `OSError`, and nothing stays open then.

    Each attempt makes a producer of its own, because a producer keeps the password with which it was made.
    """
    producer = AIOKafkaProducer(**config.client(), enable_idempotence=True, **options)  # idempotence implies acks=all
    try:
        await producer.start()
    except ClusterAuthorizationFailedError as cause:
        await stop_producer(producer)
        # A client may be idempotent if it may write to any topic (KIP-679), so it may not write to this one.
        raise AccessDeniedError(f"Write on topic {topic}") from cause
    except BaseException:
        await stop_producer(producer)
        raise
    return producer


async def stop_consumer(consumer: AIOKafkaConsumer) -> None:
    """Stop *consumer* completely; raise `CancelledError` only if the caller itself was cancelled meanwhile."""
    await complete_stop(consumer.stop(), consumer._client)  # noqa: SLF001 - closing it is the last step of `stop`


async def stop_producer(producer: AIOKafkaProducer) -> None:
    """Stop *producer*, for some seconds only: what it has not sent by then, nobody has been promised."""
    await complete_stop(producer.stop(), producer.client)


async def complete_stop(stop: Coroutine[Any, Any, None], client: AIOKafkaClient) -> None:
    """Run *stop* of a consumer or producer for a limited time, then close its *client* in any case.

    While the broker is away, aiokafka's `stop` cancels a fetch that waits for its next attempt, awaits it and lets the
    `CancelledError` escape: the sockets would stay open, and a caller would end as if it had been cancelled. In a task
    of its own the error ends that task alone. While a broker hangs, `stop` waits for its answers.
    """
    stopping = asyncio.ensure_future(stop)
    try:
        await asyncio.wait([stopping], timeout=STOP_SECONDS)
    finally:
        stopping.cancel()
        await close_client(client)


async def close_client(client: AIOKafkaClient) -> None:
    """Close the connections of *client*, also if one breaks meanwhile: a `CancelledError` of aiokafka ends here."""
    await asyncio.wait([asyncio.ensure_future(client.close())], timeout=STOP_SECONDS)
