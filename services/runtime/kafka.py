"""How every client reaches the bus: where it is, what the way is encrypted with, and who we say we are.

It refuses to keep a password: the file is read when a client is made. Nor does it judge what an operator has set;
`settings` does.
"""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import (
    IllegalSaslStateError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)

QUESTION_TIMEOUT_MS = 5_000
"""Of one attempt to learn why no client could start."""


class Protocol(StrEnum):
    """What a listener of the broker speaks, in Kafka's own words."""

    PLAINTEXT = "PLAINTEXT"
    SSL = "SSL"
    SASL_PLAINTEXT = "SASL_PLAINTEXT"
    SASL_SSL = "SASL_SSL"

    @property
    def is_encrypted(self) -> bool:
        return self in {Protocol.SSL, Protocol.SASL_SSL}

    @property
    def is_authenticated(self) -> bool:
        """Whether it wants a user and a password."""
        return self in {Protocol.SASL_PLAINTEXT, Protocol.SASL_SSL}


class Mechanism(StrEnum):
    """How a password is proved. SCRAM proves it without sending it."""

    PLAIN = "PLAIN"
    SCRAM_SHA_256 = "SCRAM-SHA-256"
    SCRAM_SHA_512 = "SCRAM-SHA-512"


class RefusedError(KafkaError):  # type: ignore[misc]  # aiokafka has no annotations
    """The broker is there and will not have us, or we will not have it; waiting does not help. The message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Who we say we are, and where the proof of it lies."""

    username: str
    password_file: Path
    mechanism: Mechanism

    def password(self) -> str:
        """Read the password, less the end of its line; raise `OSError` or `UnicodeError` if it cannot be read."""
        return self.password_file.read_text(encoding="utf-8").rstrip("\r\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What every client of the bus is opened with. Without more than the address: neither encrypted nor known."""

    bootstrap: str
    """Brokers to ask first, `HOST:PORT` each, with commas between them."""

    tls: ssl.SSLContext | None = field(default=None, repr=False)
    credentials: Credentials | None = None

    @property
    def servers(self) -> list[str]:
        """The brokers to ask first, one by one."""
        return [one.strip() for one in self.bootstrap.split(",") if one.strip()]

    @property
    def protocol(self) -> Protocol:
        """What is spoken."""
        if self.credentials is None:
            return Protocol.PLAINTEXT if self.tls is None else Protocol.SSL
        return Protocol.SASL_PLAINTEXT if self.tls is None else Protocol.SASL_SSL

    def client(self) -> dict[str, Any]:
        """Return the arguments of any client of aiokafka. The password is among them: they are not for keeping."""
        return {"bootstrap_servers": self.servers, **self._security()}

    async def refusal(self) -> str | None:
        """Say what is wrong between us and the broker; nothing if it is just not there.

        aiokafka tells its log alone, and raises the same error for a wrong password as for an absent broker.
        """
        for host, port, _ in collect_hosts(self.servers):
            failure = await _failure(self._security(), host=host, port=port)
            said = _explained(failure, f"the broker at {host}:{port}")
            if said is not None:
                return said
        return None

    def _security(self) -> dict[str, Any]:
        protocol = {"security_protocol": self.protocol.value, "ssl_context": self.tls}
        if self.credentials is None:
            return protocol
        return {
            **protocol,
            "sasl_mechanism": self.credentials.mechanism.value,
            "sasl_plain_username": self.credentials.username,
            "sasl_plain_password": self.credentials.password(),
        }


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
