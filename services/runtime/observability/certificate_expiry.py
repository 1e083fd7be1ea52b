"""Tells when the certificates end that a service presents, or by which it knows the broker: for an alert weeks before.

Nobody reads a certificate again before it has ended, and then nothing connects any more. Each scrape reads the files
anew, because they are replaced while the service runs.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from cryptography import x509
from prometheus_client import CollectorRegistry, Gauge


def export_expiry(registry: CollectorRegistry, certificates: Mapping[str, Path | None]) -> None:
    """Export when each of *certificates* ends, by its role; one that is not set has no series."""
    gauge = Gauge(
        "runtime_certificate_expires_timestamp_seconds",
        "When the first certificate of the file ends, as Unix time; 0 while the file cannot be read",
        ["certificate"],
        registry=registry,
    )
    for role, path in certificates.items():
        if path is not None:
            gauge.labels(role).set_function(partial(read_expiry, path))


def read_expiry(path: Path) -> float:
    """Return when the first of the certificates in *path* (PEM) ends, as Unix time; 0 if there is none to be read."""
    try:
        found = x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError):
        return 0.0
    return min(one.not_valid_after_utc for one in found).timestamp()
