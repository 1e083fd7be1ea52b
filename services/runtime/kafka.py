"""How a broker refuses a client, in words, and how a plain consumer is stopped in good order."""

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

QUESTION_TIMEOUT_MS = 5_000
"""Of one attempt to learn why no client could start."""


class BrokerRefusedError(KafkaError):  # type: ignore[misc]  # aiokafka has no annotations
    """The broker is there and will not have us, or we will not have it; waiting does not help. The message says why."""


async def explain_refusal(config: KafkaConfig) -> str | None:
    """Say what is wrong between us and the broker; nothing if it is just not there.

    aiokafka tells its log alone, and raises the same error for a wrong password as for an absent broker.
    """
    for host, port, _ in collect_hosts(config.servers):
        failure = await _failure(config.security(), host=host, port=port)
        said = _explained(failure, f"the broker at {host}:{port}")
        if said is not None:
            return said
    return None


async def _failure(security: Mapping[str, Any], *, host: str, port: int) -> BaseException | None:
    try:
        connection = await create_conn(host, port, request_timeout_ms=QUESTION_TIMEOUT_MS, **security)
    except (KafkaError, OSError, TimeoutError) as cause:
        return cause.__cause__ or cause  # what has ended a connection stands behind aiokafka's own error
    connection.close()
    return None


def _explained(failure: BaseException | None, broker: str) -> str | None:
    """Put a refusal into words, with its remedy; nothing for what may be otherwise at the next attempt."""
    match failure:
        case ssl.SSLCertVerificationError():
            remedy = "look at DONDOC_KAFKA_CA_FILE and at the name in DONDOC_KAFKA_BOOTSTRAP"
            return f"{broker} shows a certificate that is not trusted: {failure.verify_message}; {remedy}"
        case ssl.SSLEOFError() | ssl.SSLZeroReturnError():  # so a broker ends a handshake when it stops, too
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
    """Stop *consumer* whole; raise `CancelledError` only if the caller was cancelled meanwhile.

    While the broker is away, aiokafka cancels a fetch that waits for its next attempt, awaits it and lets that
    cancellation out: the caller would end as if it were its own, and what was still to be closed would stay open.
    """
    before = _cancellations()
    with contextlib.suppress(asyncio.CancelledError):
        await consumer.stop()
    await consumer._client.close()  # noqa: SLF001 - the last step of `stop`, which it does not take when it is left so
    if _cancellations() > before:
        raise asyncio.CancelledError


def _cancellations() -> int:
    task = asyncio.current_task()
    return 0 if task is None else task.cancelling()
