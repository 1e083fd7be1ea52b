"""The local broker needs no password, and settings for another broker do not reach it."""

import os
from pathlib import Path

import pytest

from deploy.local.process.ports import Ports
from deploy.local.stack import SECURITY, Stack
from services.rules.settings import RulesSettings
from services.runtime.settings import SecurityProtocol, ServiceSettings


def test_what_guards_another_broker_is_put_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`make demo` runs the same in a shell whose variables are set for production."""
    for name, value in {"SECURITY_PROTOCOL": "SASL_SSL", "USERNAME": "dondoc", "PASSWORD_FILE": "elsewhere"}.items():
        monkeypatch.setenv(f"DONDOC_KAFKA_{name}", value)
    stack = Stack(tmp_path, Ports(), jars=tmp_path)
    for name, value in {**os.environ, **stack.environment()}.items():
        monkeypatch.setenv(name, value)
    assert RulesSettings().kafka.protocol is SecurityProtocol.PLAINTEXT


def test_nothing_that_guards_is_forgotten() -> None:
    """Every security setting is emptied, except the mechanism, which has no effect alone."""
    guarding = {f"DONDOC_{name}".upper() for name in ServiceSettings.model_fields if name.startswith("kafka_")}
    rest = {"DONDOC_KAFKA_BOOTSTRAP", "DONDOC_KAFKA_REPLICATION", "DONDOC_KAFKA_SASL_MECHANISM"}
    assert guarding - rest == set(SECURITY)
