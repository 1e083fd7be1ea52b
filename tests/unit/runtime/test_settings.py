"""Settings come from the environment: a service's own name first, then the shared one, then the default."""

import pytest
from pydantic import ValidationError

from services.rules.settings import RulesSettings
from services.runtime.settings import ServiceSettings


def test_a_shared_name_reaches_every_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """One variable sets the broker for all."""
    monkeypatch.setenv("DONDOC_KAFKA_BOOTSTRAP", "kafka:9092")
    assert RulesSettings().kafka_bootstrap == "kafka:9092"


def test_a_service_may_override_a_shared_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """The service's own variable wins over the shared one."""
    monkeypatch.setenv("DONDOC_LOG_LEVEL", "INFO")
    monkeypatch.setenv("DONDOC_RULES_LOG_LEVEL", "DEBUG")
    assert (RulesSettings().log_level, ServiceSettings().log_level) == ("DEBUG", "INFO")


def test_a_clock_that_is_none_is_refused_at_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistyped clock does not wait for the first report."""
    monkeypatch.setenv("DONDOC_CLOCK", "steered")
    with pytest.raises(ValidationError, match="is no clock"):
        ServiceSettings()
