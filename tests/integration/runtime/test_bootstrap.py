"""A service that is started with an invalid setting ends with a message."""

import os
import subprocess
import sys

import pytest

from services.runtime import settings

WRONG = {"DONDOC_KAFKA_SECURITY_PROTOCOL": "SSL2", "DONDOC_CLOCK": "steered"}


@pytest.mark.parametrize("service", ["intake", "rules", "notifier", "reporting"])
def test_a_setting_that_cannot_be_is_named_in_a_line(service: str) -> None:
    """The message has no traceback and no other setting, and the exit code is 2."""
    command = [sys.executable, "-m", f"services.{service}"]
    ended = subprocess.run(command, env=os.environ | WRONG, capture_output=True, text=True, timeout=60, check=False)
    first, second = ended.stderr.splitlines()
    assert ended.returncode == settings.EXIT_UNUSABLE
    assert first.startswith("setting kafka_security_protocol: ")
    assert second.startswith("setting clock: ")
    assert "SSL2" not in ended.stderr
