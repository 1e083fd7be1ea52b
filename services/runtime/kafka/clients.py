"""What aiokafka's clients leave to their users: explain why a broker refuses a client, and stop a consumer cleanly."""

import asyncio
import contextlib
import ssl
from collections.abc import Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import (
    IllegalSaslStateError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)

from services.runtime.settings import KafkaConfig

# For one connection that is made only to learn why no client could start.
PROBE_TIMEOUT_MS = 5_000


class BrokerRefusedError(KafkaError):  # type: ignore[misc]  # aiokafka has no annotations
    """The broker answers but refuses this client, or this client does not trust it; waiting does not help.

    The message names the reason and the setting to check.
    """


async def explain_refusal(config: KafkaConfig) -> str | None:
    """Return why a broker refuses a client with *config*, with the setting to check; None if none can be reached.

    It connects once more itself: aiokafka raises the same error for a wrong password as for an absent broker, and
    writes the difference only to its log.
    """
    for host, port, _ in collect_hosts(config.servers):
        failure = await _failure(config.security(), host=host, port=port)
        explanation = _explain(failure, f"the broker at {host}:{port}")
        if explanation is not None:
            return explanation
    return None


async def _failure(security: Mapping[str, Any], *, host: str, port: int) -> BaseException | None:
    try:
        connection = await create_conn(host, port, request_timeout_ms=PROBE_TIMEOUT_MS, **security)
    except (KafkaError, OSError, TimeoutError) as cause:
        return cause.__cause__ or cause  # aiokafka wraps the TLS or SASL error that ended the connection
    connection.close()
    return None


def _explain(failure: BaseException | None, broker: str) -> str | None:
    """Return a refusal in words with its remedy; None for a failure that may not occur at the next attempt."""
    match failure:
        case ssl.SSLCertVerificationError():
            remedy = "look at DONDOC_KAFKA_CA_FILE and at the name in DONDOC_KAFKA_BOOTSTRAP"
            return f"{broker} shows a certificate that is not trusted: {failure.verify_message}; {remedy}"
        case ssl.SSLEOFError() | ssl.SSLZeroReturnError():
            # A broker that is stopping ends a handshake like this as well.
            return None
        case ssl.SSLError():
            remedy = "look at DONDOC_KAFKA_CERTIFICATE_FILE and DONDOC_KAFKA_SECURITY_PROTOCOL"
            return f"{broker} breaks TLS off: {failure.reason}; {remedy}"
        case SaslAuthenticationFailed():
            remedy = "look at DONDOC_KAFKA_USERNAME and DONDOC_KAFKA_PASSWORD_FILE"
            return f"{broker} does not take this user with this password: {failure}; {remedy}"
        case UnsupportedSaslMechanismError() | IllegalSaslStateError():
            remedy = "look at DONDOC_KAFKA_SASL_MECHANISM and DONDOC_KAFKA_SECURITY_PROTOCOL"
            return f"{broker} does not authenticate like this: {failure}; {remedy}"
        case _:
            return None


async def stop_consumer(consumer: AIOKafkaConsumer) -> None:
    """Stop *consumer* completely; raise `CancelledError` only if the caller itself was cancelled meanwhile.

    While the broker is away, aiokafka's `stop` cancels a fetch that waits for its next attempt, awaits it and lets the
    `CancelledError` escape. The caller would end as if it had been cancelled, and the sockets would stay open.
    """
    before = _cancellations()
    with contextlib.suppress(asyncio.CancelledError):
        await consumer.stop()
    await consumer._client.close()  # noqa: SLF001 - the last step of `stop`, which it skips in that case
    if _cancellations() > before:
        raise asyncio.CancelledError


def _cancellations() -> int:
    task = asyncio.current_task()
    return 0 if task is None else task.cancelling()
