"""Every alert is provoked on real services in this folder, or is listed here with the reason why not.

The alerts of this list are played by promtool alone (deploy/prometheus/tests), on series that a test writes down.
"""

import re
from pathlib import Path

from tests.support.processes import prometheus

PLAYED_ALONE = {
    "SpoolNotDraining": "the spool has to hold something for a quarter of an hour while the broker acknowledges",
    "OfficerAnswersNotRecorded": "tests/integration/reporting/access/test_officer_page.py reads its metric",
    "FilesNotKept": "tests/integration/intake/form/test_object_store.py reads its metric, with a store that is away",
    "DamagedBatch": "tests/integration/runtime/kafka/test_damaged_batches.py reads its metric, with a damaged log",
    "AuditDiffers": "tests/integration/reporting/test_audit.py runs an audit at intervals and reads its metric",
    "LogLost": "tests/integration/reporting/test_audit.py tells a lost log from a difference",
    "AuditStale": "an audit has to fail for three hours",
    "NothingReceived": "a deadline has to be less than three days away on the clock of Prometheus",
    "CertificateExpiring": "tests/unit/runtime/observability/test_certificate_expiry.py reads its metric",
}
NAME = re.compile(r'"([A-Z][A-Za-z]+)"')


def test_every_alert_is_provoked_or_listed() -> None:
    """An alert that is new finds its place on one of the two sides, and on one alone."""
    modules = Path(__file__).parent.glob("test_*_alerts.py")
    alerts = set(prometheus.load_expressions())
    provoked = {name for path in modules for name in NAME.findall(path.read_text(encoding="utf-8"))} & alerts
    assert sorted(provoked & set(PLAYED_ALONE)) == []
    assert provoked | set(PLAYED_ALONE) == alerts
