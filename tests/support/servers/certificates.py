"""Issue certificates for tests: an authority and the servers and clients that it signs. The keys protect nothing."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from deploy.local.process.ports import LOOPBACK

PEM = serialization.Encoding.PEM


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A certificate and its key, each in a file of its own, and both in one file as Kafka requires."""

    certificate: Path
    key: Path
    both: Path


class Authority:
    """A certificate authority. Its own certificate is in the file `certificate`."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _x509_name(name)
        basic = x509.BasicConstraints(ca=True, path_length=None)
        own = _start_certificate(self._name, self._name, self._key.public_key()).add_extension(basic, critical=True)
        self.certificate = folder / f"{name}.pem"
        self.certificate.write_bytes(own.sign(self._key, hashes.SHA256()).public_bytes(PEM))

    def issue(self, name: str) -> Issued:
        """Issue a certificate for *name* on this machine."""
        key = ec.generate_private_key(ec.SECP256R1())
        here = x509.SubjectAlternativeName([x509.IPAddress(ip_address(LOOPBACK))])
        begun = _start_certificate(_x509_name(name), self._name, key.public_key()).add_extension(here, critical=False)
        certificate = begun.sign(self._key, hashes.SHA256()).public_bytes(PEM)
        secret = key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        issued = Issued(
            certificate=self._folder / f"{name}.pem",
            key=self._folder / f"{name}-key.pem",
            both=self._folder / f"{name}-both.pem",
        )
        issued.certificate.write_bytes(certificate)
        issued.key.write_bytes(secret)
        issued.both.write_bytes(secret + certificate)
        return issued


def over_tls(authority: Authority) -> dict[str, str]:
    """Return the settings of an intake with a certificate of *authority*."""
    issued = authority.issue("intake")
    return {"DONDOC_INTAKE_TLS_CERTIFICATE": str(issued.certificate), "DONDOC_INTAKE_TLS_KEY": str(issued.key)}


def _x509_name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])


def _start_certificate(name: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    began = datetime.now(UTC) - timedelta(days=1)  # noqa: TID251 - certificates know no steered clock
    serial = x509.random_serial_number()
    return x509.CertificateBuilder(issuer, name, key, serial, began, began + timedelta(days=30))
