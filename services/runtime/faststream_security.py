"""The way to the bus as FastStream's brokers want it told. It decides nothing: `kafka` does."""

from faststream.security import BaseSecurity, SASLPlaintext, SASLScram256, SASLScram512

from services.runtime.kafka import Access, Mechanism

_KIND: dict[Mechanism, type[SASLPlaintext | SASLScram256 | SASLScram512]] = {
    Mechanism.PLAIN: SASLPlaintext,
    Mechanism.SCRAM_SHA_256: SASLScram256,
    Mechanism.SCRAM_SHA_512: SASLScram512,
}


def security_of(kafka: Access) -> BaseSecurity:
    """Return what a `KafkaBroker` is given as its `security`."""
    if kafka.credentials is None:
        return BaseSecurity(ssl_context=kafka.tls)
    kind = _KIND[kafka.credentials.mechanism]
    return kind(
        username=kafka.credentials.username,
        password=kafka.credentials.password(),
        ssl_context=kafka.tls,
        use_ssl=kafka.tls is not None,
    )
