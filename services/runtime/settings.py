"""The settings of a service, from environment variables, checked when the service starts.

Shared variables begin with `DONDOC_`; those of one service begin with `DONDOC_<SERVICE>_` and may also override a
shared one. Nothing is read at import: a service builds its settings when it starts. This module imports no client of
Kafka, because commands of the console that need none load it too.
"""

import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from schemas.events.topics import DEFAULT_PARTITIONS
from services.runtime.clock import SYSTEM, clock_from
from services.runtime.observability import spans

SHARED_PREFIX = "DONDOC_"

# Characters of a secret that two services share: 128 bits, if each has four.
SECRET_LENGTH_MIN = 32

# The exit code of a process that was given input or settings that it cannot use.
EXIT_UNUSABLE = 2


class SecurityProtocol(StrEnum):
    """The security protocol of a Kafka listener, with Kafka's names."""

    PLAINTEXT = "PLAINTEXT"
    SSL = "SSL"
    SASL_PLAINTEXT = "SASL_PLAINTEXT"
    SASL_SSL = "SASL_SSL"

    @property
    def is_encrypted(self) -> bool:
        return self in {SecurityProtocol.SSL, SecurityProtocol.SASL_SSL}

    @property
    def is_authenticated(self) -> bool:
        """Whether it requires a user and a password."""
        return self in {SecurityProtocol.SASL_PLAINTEXT, SecurityProtocol.SASL_SSL}


class SaslMechanism(StrEnum):
    """The SASL mechanism, with Kafka's names. SCRAM proves that the client has the password without sending it."""

    PLAIN = "PLAIN"
    SCRAM_SHA_256 = "SCRAM-SHA-256"
    SCRAM_SHA_512 = "SCRAM-SHA-512"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """A user name and the file that contains its password."""

    username: str
    password_file: Path
    mechanism: SaslMechanism

    def password(self) -> str:
        """Read the password without its line end; raise `OSError` or `UnicodeError` if it cannot be read.

        It is read when a client is created and not kept.
        """
        return self.password_file.read_text(encoding="utf-8").rstrip("\r\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaConfig:
    """How every client connects to Kafka. With the address alone: neither encrypted nor authenticated."""

    bootstrap: str
    """The bootstrap servers as `HOST:PORT`, separated by commas."""

    tls: ssl.SSLContext | None = field(default=None, repr=False)
    credentials: Credentials | None = None

    @property
    def servers(self) -> list[str]:
        """The bootstrap servers as a list."""
        return [one.strip() for one in self.bootstrap.split(",") if one.strip()]

    @property
    def protocol(self) -> SecurityProtocol:
        """The security protocol that follows from the TLS context and the credentials."""
        if self.credentials is None:
            return SecurityProtocol.PLAINTEXT if self.tls is None else SecurityProtocol.SSL
        return SecurityProtocol.SASL_PLAINTEXT if self.tls is None else SecurityProtocol.SASL_SSL

    def client(self) -> dict[str, Any]:
        """Return the arguments for any aiokafka client. They include the password, so they should not be kept."""
        return {"bootstrap_servers": self.servers, **self.security()}

    def security(self) -> dict[str, Any]:
        """Return the arguments for an aiokafka client that concern encryption and authentication."""
        protocol = {"security_protocol": self.protocol.value, "ssl_context": self.tls}
        if self.credentials is None:
            return protocol
        return {
            **protocol,
            "sasl_mechanism": self.credentials.mechanism.value,
            "sasl_plain_username": self.credentials.username,
            "sasl_plain_password": self.credentials.password(),
        }


def _require_clock(setting: str) -> str:
    clock_from(setting)
    return setting


def _require_collector(endpoint: str | None) -> str | None:
    if endpoint is None:
        return None
    url = urlsplit(endpoint)
    if url.scheme not in {"http", "https"} or not url.hostname:
        raise ValueError("otlp_endpoint is the address of a collector, such as http://collector:4318")
    if not spans.is_library_installed():
        raise ValueError("otlp_endpoint needs OpenTelemetry; pip install 'dondoc[otlp]', or unset it")
    return endpoint


class ServiceSettings(BaseSettings):
    """The settings of every service. A service subclasses this with its `env_prefix` and its own port."""

    # Errors go to the log. They name the setting and never show other values, which may be secrets.
    model_config = SettingsConfigDict(
        env_prefix=SHARED_PREFIX, env_ignore_empty=True, extra="ignore", frozen=True, hide_input_in_errors=True
    )
    shared: ClassVar[str] = SHARED_PREFIX
    renamed: ClassVar[Mapping[str, str]] = {}
    """New names of variables by their old ones, which are accepted for one version."""

    secret_files: ClassVar[tuple[str, ...]] = ()
    """Settings with a secret that `<SETTING>_FILE` may name a file of instead, which other users cannot read."""

    kafka_bootstrap: str = "127.0.0.1:9092"
    kafka_replication: int = Field(default=1, ge=1)
    kafka_security_protocol: SecurityProtocol = SecurityProtocol.PLAINTEXT
    kafka_ca_file: Path | None = None
    kafka_certificate_file: Path | None = None
    kafka_key_file: Path | None = None
    kafka_sasl_mechanism: SaslMechanism = SaslMechanism.SCRAM_SHA_512
    kafka_username: str | None = None
    kafka_password_file: Path | None = None
    partitions: int = Field(default=DEFAULT_PARTITIONS, ge=1)
    clock: Annotated[str, AfterValidator(_require_clock)] = SYSTEM
    log_level: str = "INFO"
    otlp_endpoint: Annotated[str | None, AfterValidator(_require_collector)] = None
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)

    @model_validator(mode="before")
    @classmethod
    def _read_secret_files(cls, given: dict[str, Any]) -> dict[str, Any]:
        """Take each secret from its file, if a file is given."""
        found = dict(given)
        for name in cls.secret_files:
            path = found.get(f"{name}_file")
            if path is None:
                continue
            if found.get(name) is not None:
                raise ValueError(f"{name} and {name}_file are both set; unset one of them")
            found[name] = _read_secret(f"{name}_file", Path(path))
        return found

    @cached_property
    def kafka(self) -> KafkaConfig:
        """How every client connects to Kafka; built once."""
        return KafkaConfig(bootstrap=self.kafka_bootstrap, tls=self._tls(), credentials=self._credentials())

    @property
    def certificates(self) -> Mapping[str, Path | None]:
        """The files with the certificates of this service, by what each is for, as a label of a metric."""
        return {"kafka_client": self.kafka_certificate_file, "kafka_authority": self.kafka_ca_file}

    @model_validator(mode="after")
    def _check_kafka(self) -> Self:
        """Refuse at start what cannot work later, and what someone may have set to no effect as a protection."""
        _ = self.kafka
        return self

    def _tls(self) -> ssl.SSLContext | None:
        if not self.kafka_security_protocol.is_encrypted:
            files = {
                "DONDOC_KAFKA_CA_FILE": self.kafka_ca_file,
                "DONDOC_KAFKA_CERTIFICATE_FILE": self.kafka_certificate_file,
                "DONDOC_KAFKA_KEY_FILE": self.kafka_key_file,
            }
            _refuse_unused(files, f"{self.kafka_security_protocol} encrypts nothing", remedy="SSL or SASL_SSL")
            return None
        if (self.kafka_certificate_file is None) != (self.kafka_key_file is None):
            raise ValueError("set both DONDOC_KAFKA_CERTIFICATE_FILE and DONDOC_KAFKA_KEY_FILE, or neither")
        return _create_context(ca=self.kafka_ca_file, certificate=self.kafka_certificate_file, key=self.kafka_key_file)

    def _credentials(self) -> Credentials | None:
        protocol = self.kafka_security_protocol
        given = {
            "DONDOC_KAFKA_USERNAME": self.kafka_username,
            "DONDOC_KAFKA_PASSWORD_FILE": self.kafka_password_file,
        }
        if not protocol.is_authenticated:
            _refuse_unused(given, f"{protocol} asks for no password", remedy="SASL_SSL")
            return None
        if self.kafka_username is None or self.kafka_password_file is None:
            missing = next(name for name, value in given.items() if value is None)
            raise ValueError(f"{protocol} asks for a user and a password; set {missing}")
        credentials = Credentials(
            username=self.kafka_username, password_file=self.kafka_password_file, mechanism=self.kafka_sasl_mechanism
        )
        _require_readable(credentials)
        return credentials

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - no file is read besides the environment
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as above
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Look up the service's own variables first, then the shared ones."""
        return init_settings, env_settings, EnvSettingsSource(settings_cls, env_prefix=cls.shared)


class MongoSettings(BaseSettings):
    """The additional settings of a service with a database. Each service has its own database and default name."""

    model_config = SettingsConfigDict(env_ignore_empty=True)

    mongo_url: str = "mongodb://127.0.0.1:27017/?replicaSet=rs0&directConnection=true"
    mongo_url_file: Path | None = None
    mongo_database: str = "dondoc"


def _read_secret(setting: str, path: Path) -> str:
    """Return the secret in *path* without its line end; raise `ValueError` naming the setting."""
    try:
        secret = path.read_text(encoding="utf-8").rstrip("\r\n")
    except UnicodeError as cause:
        raise ValueError(f"{setting}: {path} is no text in UTF-8") from cause
    except OSError as cause:
        raise ValueError(f"{setting}: {path} cannot be read: {cause.strerror}") from cause
    if not secret:
        raise ValueError(f"{setting}: {path} is empty; it holds the secret, and nothing else")
    return secret


def _refuse_unused(given: Mapping[str, object], why: str, *, remedy: str) -> None:
    """Refuse a setting that would have no effect: the person who set it believes that the connection is protected."""
    idle = [name for name, value in given.items() if value is not None]
    if idle:
        raise ValueError(
            f"{' and '.join(idle)} would do nothing: {why}; set DONDOC_KAFKA_SECURITY_PROTOCOL to {remedy}, or unset it"
        )


def _create_context(*, ca: Path | None, certificate: Path | None, key: Path | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=ca)
    except OSError as cause:
        raise ValueError(f"DONDOC_KAFKA_CA_FILE: {ca} cannot be used: {cause}; it holds certificates in PEM") from cause
    if certificate is None:
        return context
    try:
        # An empty passphrase: otherwise OpenSSL would prompt for one at a terminal, which a service does not have.
        context.load_cert_chain(certificate, key, password="")
    except OSError as cause:
        pair = f"DONDOC_KAFKA_CERTIFICATE_FILE and DONDOC_KAFKA_KEY_FILE: {certificate} and {key}"
        remedy = "they hold a certificate chain and its key without a passphrase, in PEM"
        raise ValueError(f"{pair} cannot be used: {cause}; {remedy}") from cause
    return context


def _require_readable(credentials: Credentials) -> None:
    place = f"DONDOC_KAFKA_PASSWORD_FILE: {credentials.password_file}"
    try:
        password = credentials.password()
    except UnicodeError as cause:
        raise ValueError(f"{place} is no text in UTF-8") from cause
    except OSError as cause:
        raise ValueError(f"{place} cannot be read: {cause.strerror}") from cause
    if not password:
        raise ValueError(f"{place} is empty; it holds the password, and nothing else")


def describe_errors(error: ValidationError) -> Iterator[str]:
    """Yield one line for each invalid setting, with its name and what is wrong with it."""
    for detail in error.errors(include_url=False, include_input=False):
        place = "".join(f"setting {name}: " for name in detail["loc"])
        yield f"{place}{detail['msg'].removeprefix('Value error, ')}"
