"""Settings come from the service's own variable, else from the shared one, else from the default."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from services.intake.settings import IntakeSettings
from services.notifier.settings import NotifierSettings
from services.reporting.settings import ReportingSettings
from services.rules.settings import RulesSettings
from services.runtime.settings import KafkaConfig, SecurityProtocol, ServiceSettings


def test_a_shared_name_reaches_every_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """One variable sets the broker for all services."""
    monkeypatch.setenv("DONDOC_KAFKA_BOOTSTRAP", "kafka:9092")
    assert RulesSettings().kafka_bootstrap == "kafka:9092"


@pytest.mark.parametrize("settings", [IntakeSettings, RulesSettings, NotifierSettings, ReportingSettings])
def test_no_service_takes_an_empty_variable_for_a_value(
    settings: type[ServiceSettings], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A compose file passes an empty variable if no value was given; it counts as not set in every service."""
    monkeypatch.setenv("DONDOC_KAFKA_SECURITY_PROTOCOL", "")
    assert settings().kafka_security_protocol is SecurityProtocol.PLAINTEXT


def test_a_service_may_override_a_shared_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """The service's own variable overrides the shared one."""
    monkeypatch.setenv("DONDOC_LOG_LEVEL", "INFO")
    monkeypatch.setenv("DONDOC_RULES_LOG_LEVEL", "DEBUG")
    assert (RulesSettings().log_level, ServiceSettings().log_level) == ("DEBUG", "INFO")


def test_a_clock_that_is_none_is_refused_at_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistyped clock is refused at start and not at the first report."""
    monkeypatch.setenv("DONDOC_CLOCK", "steered")
    with pytest.raises(ValidationError, match="is no clock"):
        ServiceSettings()


OPEN = {"DONDOC_KAFKA_SECURITY_PROTOCOL": "PLAINTEXT"}
TLS = {"DONDOC_KAFKA_SECURITY_PROTOCOL": "SSL"}
SASL = {"DONDOC_KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "DONDOC_KAFKA_USERNAME": "dondoc"}
REFUSED = {
    "a password where nobody asks for one": (OPEN | {"DONDOC_KAFKA_PASSWORD_FILE": "password"}, "would do nothing"),
    "a user where nobody asks for one": (TLS | {"DONDOC_KAFKA_USERNAME": "dondoc"}, "USERNAME would do nothing"),
    "an authority where nothing is encrypted": (OPEN | {"DONDOC_KAFKA_CA_FILE": "ca.pem"}, "CA_FILE would do nothing"),
    "a certificate without its key": (TLS | {"DONDOC_KAFKA_CERTIFICATE_FILE": "c.pem"}, "set both"),
    "a user without a password": (SASL, "set DONDOC_KAFKA_PASSWORD_FILE"),
    "a password that is not there": (SASL | {"DONDOC_KAFKA_PASSWORD_FILE": "absent"}, "absent cannot be read"),
    "an empty password": (SASL | {"DONDOC_KAFKA_PASSWORD_FILE": "empty"}, "is empty"),
    "a password that is no text": (SASL | {"DONDOC_KAFKA_PASSWORD_FILE": "binary"}, "is no text in UTF-8"),
    "an authority that is none": (TLS | {"DONDOC_KAFKA_CA_FILE": "password"}, "CA_FILE: password cannot be used"),
    "an authority that is not there": (TLS | {"DONDOC_KAFKA_CA_FILE": "absent"}, "CA_FILE: absent cannot be used"),
    "a certificate that is none": (
        TLS | {"DONDOC_KAFKA_CERTIFICATE_FILE": "password", "DONDOC_KAFKA_KEY_FILE": "password"},
        "password and password cannot be used",
    ),
    "a protocol that is none": ({"DONDOC_KAFKA_SECURITY_PROTOCOL": "TLS"}, "kafka_security_protocol"),
    "a mechanism that is none": ({"DONDOC_KAFKA_SASL_MECHANISM": "NTLM"}, "kafka_sasl_mechanism"),
}


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Usable and unusable password files in the working directory of the process."""
    monkeypatch.chdir(tmp_path)
    Path("password").write_text("a secret of ours\n", encoding="utf-8")
    Path("empty").write_text("\n", encoding="utf-8")
    Path("binary").write_bytes(b"\xff\xfe")


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("case", REFUSED)
def test_a_way_to_the_bus_that_cannot_be_is_refused_at_start(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the setting and contains no secret."""
    given, message = REFUSED[case]
    for name, value in {"DONDOC_FORM_KEY": "a secret of more than 32 letters", **given}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError, match=message) as refused:
        NotifierSettings()
    assert "secret" not in str(refused.value)


@pytest.mark.usefixtures("files")
def test_the_way_to_the_bus_is_made_once_and_shows_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """The password is read when a client is created, so a changed file takes effect for the next client."""
    for name, value in (SASL | {"DONDOC_KAFKA_PASSWORD_FILE": "password"}).items():
        monkeypatch.setenv(name, value)
    settings = ServiceSettings()
    assert settings.kafka.client()["sasl_plain_password"] == "a secret of ours"
    assert "secret" not in f"{settings!r} {settings.kafka!r}"
    Path("password").write_text("another", encoding="utf-8")
    assert settings.kafka.client()["sasl_plain_password"] == "another"
    assert settings.kafka.tls is settings.kafka.tls is not None


def test_a_variable_that_is_empty_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """A compose file passes every variable that may be set; an empty one counts as not set."""
    for name in ("SECURITY_PROTOCOL", "CA_FILE", "SASL_MECHANISM", "USERNAME", "PASSWORD_FILE"):
        monkeypatch.setenv(f"DONDOC_KAFKA_{name}", "")
    assert RulesSettings().kafka == KafkaConfig(bootstrap="127.0.0.1:9092")


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    "settings, field",
    [
        (IntakeSettings, "form_key"),
        (NotifierSettings, "form_key"),
        (NotifierSettings, "smtp_password"),
        (NotifierSettings, "smpp_password"),
        (NotifierSettings, "mongo_url"),
        (ReportingSettings, "mongo_url"),
    ],
)
def test_a_secret_may_lie_in_a_file(
    settings: type[ServiceSettings], field: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`<SETTING>_FILE` names a file with the secret; it and the variable at once are refused."""
    secret = "a secret of ours that is long enough"
    Path("secret").write_text(f"{secret}\n", encoding="utf-8")
    prefix = settings.model_config["env_prefix"]
    monkeypatch.setenv(f"{prefix}{field.upper()}_FILE", "secret")
    found = getattr(settings(), field)
    assert (found if isinstance(found, str) else found.get_secret_value()) == secret
    monkeypatch.setenv(f"{prefix}{field.upper()}", "another secret that is long enough, too")
    with pytest.raises(ValidationError, match=f"{field} and {field}_file are both set") as refused:
        settings()
    assert "another" not in str(refused.value)


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("file", ["empty", "binary", "missing"])
def test_a_file_without_a_secret_is_refused_at_start(file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the setting and the file."""
    monkeypatch.setenv("DONDOC_FORM_KEY_FILE", file)
    with pytest.raises(ValidationError, match=f"form_key_file: {file}"):
        IntakeSettings()


@pytest.mark.parametrize(
    "given", [{"USER": "don-doc"}, {"PASSWORD": "right"}, {"USER": "don-doc", "PASSWORD": "right"}]
)
def test_a_password_does_not_go_over_the_network_in_clear(
    given: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a user or a password, a mail server on another machine must be spoken to over TLS."""
    for name, value in {**given, "HOST": "smtp.example"}.items():
        monkeypatch.setenv(f"DONDOC_NOTIFIER_SMTP_{name}", value)
    with pytest.raises(ValidationError, match="DONDOC_NOTIFIER_SMTP_SECURITY is none") as refused:
        NotifierSettings()
    assert "right" not in str(refused.value)
    for security in ("starttls", "tls"):
        monkeypatch.setenv("DONDOC_NOTIFIER_SMTP_SECURITY", security)
        assert NotifierSettings().smtp_security == security
    monkeypatch.setenv("DONDOC_NOTIFIER_SMTP_SECURITY", "none")
    for host in ("127.0.0.1", "localhost", "::1"):
        monkeypatch.setenv("DONDOC_NOTIFIER_SMTP_HOST", host)
        assert NotifierSettings().smtp_host == host
