"""The end of each certificate is exported, so that it is renewed before nothing connects any more."""

from pathlib import Path

from cryptography import x509
from prometheus_client import CollectorRegistry

from services.runtime.observability import certificate_expiry
from tests.support.servers.certificates import Authority

NAME = "runtime_certificate_expires_timestamp_seconds"


def test_the_end_of_a_chain_is_that_of_its_first_certificate_to_end(tmp_path: Path) -> None:
    """A file may hold several certificates; one that is replaced is read anew at the next scrape."""
    authority = Authority(tmp_path, "authority")
    issued = authority.issue("intake")
    chain = tmp_path / "chain.pem"
    chain.write_bytes(issued.certificate.read_bytes() + authority.certificate.read_bytes())
    registry = CollectorRegistry()
    certificate_expiry.export_expiry(registry, {"https": chain, "kafka_client": None})
    ends = [one.not_valid_after_utc.timestamp() for one in x509.load_pem_x509_certificates(chain.read_bytes())]
    assert registry.get_sample_value(NAME, {"certificate": "https"}) == min(ends)
    assert registry.get_sample_value(NAME, {"certificate": "kafka_client"}) is None
    chain.write_bytes(b"no certificate")
    assert registry.get_sample_value(NAME, {"certificate": "https"}) == 0.0


def test_a_file_that_is_away_has_ended(tmp_path: Path) -> None:
    """A scrape does not fail for it, and the alert fires."""
    assert certificate_expiry.read_expiry(tmp_path / "missing.pem") == 0.0
