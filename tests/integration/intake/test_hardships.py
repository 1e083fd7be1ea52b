"""Intake under hardship: many connections, replicas side by side, a disk without room, a clock set back, TLS."""

import asyncio
import ssl
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from deploy.local.kafka import Kafka
from schemas.topics import FACTS
from services.runtime.clock import steer
from tests.support.builders import a_submission
from tests.support.eventually import eventually
from tests.support.intake import Desk, sender, written
from tests.support.kafka import Bus
from tests.support.services import Service

CONNECTIONS = 1_000


async def test_a_thousand_connections_are_served(intake: Service, bearer: str, published: Bus) -> None:
    """All at once, each with its own event; every one is answered and recorded."""
    limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
    headers = dict(sender(intake, bearer).headers)
    async with httpx.AsyncClient(base_url=intake.url, headers=headers, limits=limits, timeout=120) as client:
        answers = await asyncio.gather(
            *(client.post("/v1/events", content=written(a_submission(f"s-{n}"))) for n in range(CONNECTIONS))
        )
    assert Counter(answer.status_code for answer in answers) == {202: CONNECTIONS}
    assert len(await published.records(FACTS.name)) == CONNECTIONS


async def test_replicas_share_the_work(
    start_intake: Callable[..., Service], bearer: str, desk: Desk, published: Bus
) -> None:
    """Each answers for itself; together every event is in the log once."""
    replicas = [start_intake(DONDOC_INTAKE_SPOOL=str(desk.folder / f"spool-{name}")) for name in "ab"]
    async with sender(replicas[0], bearer) as one, sender(replicas[1], bearer) as other:
        await asyncio.gather(
            *((one, other)[n % 2].post("/v1/events", content=written(a_submission(f"s-{n}"))) for n in range(200))
        )
    records = [record.json["id"] for record in await published.records(FACTS.name)]
    assert Counter(records) == Counter(f"s-{n}" for n in range(200))


async def test_a_disk_that_cannot_be_written_is_a_503(
    start_intake: Callable[..., Service], bearer: str, published: Bus, kafka: Kafka
) -> None:
    """Nothing is acknowledged that is not on disk, and the next attempt works when the disk does."""
    service = start_intake(faults=["raise:before:1:services.intake.segments:Segments.append"])
    kafka.kill()
    async with sender(service, bearer) as client:
        first = await client.post("/v1/events", content=written(a_submission()))
        assert first.status_code == 503
        assert "retry-after" in first.headers
        assert (await client.post("/v1/events", content=written(a_submission()))).status_code == 202
        kafka.start()
        await eventually(service.is_ready, "intake ready again", timeout=60)
    assert len(await published.records(FACTS.name)) == 1


async def test_a_clock_that_is_set_back_breaks_nothing(
    start_intake: Callable[..., Service], bearer: str, published: Bus, tmp_path: Path
) -> None:
    """Events are received at the instant the clock tells, and a repeated one keeps its first."""
    clock = tmp_path / "clock"
    noon = datetime.fromisoformat("2024-12-09T12:00:00+00:00")
    steer(clock, noon)
    service = start_intake(DONDOC_CLOCK=f"steered:{clock}")
    async with sender(service, bearer) as client:
        first = (await client.post("/v1/events", content=written(a_submission("s-1")))).json()["receipts"][0]
        steer(clock, noon - timedelta(days=2))
        second = (await client.post("/v1/events", content=written(a_submission("s-2")))).json()["receipts"][0]
        again = (await client.post("/v1/events", content=written(a_submission("s-1")))).json()["receipts"][0]
    assert (first["receivedtime"], second["receivedtime"]) == ("2024-12-09T12:00:00.000Z", "2024-12-07T12:00:00.000Z")
    assert again == first
    assert [record.json["id"] for record in await published.records(FACTS.name)] == ["s-1", "s-2"]


async def test_the_port_speaks_tls_when_it_is_given_a_certificate(
    start_intake: Callable[..., Service], bearer: str, tmp_path: Path
) -> None:
    """With the certificate trusted, and plain HTTP refused."""
    certificate, key = a_certificate(tmp_path)
    service = start_intake(ready=False, DONDOC_INTAKE_TLS_CERTIFICATE=str(certificate), DONDOC_INTAKE_TLS_KEY=str(key))
    trust = ssl.create_default_context(cafile=str(certificate))
    url = f"https://127.0.0.1:{service.port}"
    async with httpx.AsyncClient(base_url=url, verify=trust, headers=dict(sender(service, bearer).headers)) as client:

        async def is_ready() -> bool:
            try:
                return (await client.get("/readyz")).status_code == 200
            except httpx.TransportError:
                return False

        await eventually(is_ready, "intake ready over TLS")
        assert (await client.post("/v1/events", content=written(a_submission()))).status_code == 202
    assert not service.is_ready()


def a_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for this machine that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "intake")])
    begins = datetime.now(UTC) - timedelta(days=1)  # noqa: TID251 - certificates know no steered clock
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, private = folder / "certificate.pem", folder / "key.pem"
    pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret = serialization.NoEncryption()
    private.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, secret))
    return pem, private
