"""The settings of intake: environment variables `DONDOC_INTAKE_…`, and the shared `DONDOC_…`."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Self

from pydantic import Field, HttpUrl, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from schemas.events.signed_tokens import KEY_LENGTH_MIN
from services.runtime import attachment_store
from services.runtime.http.server import Tls
from services.runtime.settings import SECRET_LENGTH_MIN, ServiceSettings

MEBIBYTE = 1024 * 1024


class IntakeSettings(ServiceSettings):
    """Intake's own settings."""

    model_config = SettingsConfigDict(env_prefix="DONDOC_INTAKE_", env_ignore_empty=True, extra="ignore", frozen=True)
    renamed: ClassVar[Mapping[str, str]] = {
        "DONDOC_INTAKE_CLERKS": "DONDOC_INTAKE_WORKERS",
        "DONDOC_INTAKE_MEMORY_HOURS": "DONDOC_INTAKE_DEDUP_HOURS",
        "DONDOC_INTAKE_BUS_PATIENCE_SECONDS": "DONDOC_INTAKE_BROKER_TIMEOUT_SECONDS",
        "DONDOC_INTAKE_BODY_PATIENCE_SECONDS": "DONDOC_INTAKE_BODY_TIMEOUT_SECONDS",
        "DONDOC_INTAKE_FORM_PATIENCE_SECONDS": "DONDOC_INTAKE_FORM_TIMEOUT_SECONDS",
    }

    secret_files: ClassVar[tuple[str, ...]] = ("form_key", "dry_run_key")

    port: int = Field(default=8001, ge=0, le=65535)
    admin_port: int | None = Field(default=None, ge=1, le=65535, validation_alias="DONDOC_ADMIN_PORT_INTAKE")
    keys: Path = Path(".dondoc/keys.json")
    signing_keys: Path = Path(".dondoc/signing-keys.json")
    spool: Path = Path(".dondoc/spool")
    spool_max_bytes: int = Field(default=1024 * MEBIBYTE, ge=MEBIBYTE)
    workers: int = Field(default=0, ge=0, le=64)
    issuer: str = "dondoc-intake"
    dry_run_key: SecretStr | None = Field(default=None, min_length=SECRET_LENGTH_MIN)
    dry_run_key_file: Path | None = None
    rules_url: HttpUrl = HttpUrl("http://127.0.0.1:8002")
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    dedup_hours: float = Field(default=24.0, gt=0)
    broker_timeout_seconds: float = Field(default=2.5, gt=0)
    body_timeout_seconds: float = Field(default=30.0, gt=0)
    form_key: SecretStr | None = Field(default=None, min_length=KEY_LENGTH_MIN)
    form_key_file: Path | None = None
    link_revocations: Path = Path(".dondoc/link-revocations.json")
    form_max_bytes: int = Field(default=32 * MEBIBYTE, ge=MEBIBYTE)
    form_timeout_seconds: float = Field(default=300.0, gt=0)
    attachments: str = attachment_store.DEFAULT_LOCATION
    bodies_max_bytes: int = Field(default=256 * MEBIBYTE, ge=16 * MEBIBYTE)

    @property
    def bodies_max_bytes_per_process(self) -> int:
        """The share of one process in `bodies_max_bytes`: the main process and each worker have the same."""
        return max(16 * MEBIBYTE, self.bodies_max_bytes // (1 + self.workers))

    @model_validator(mode="after")
    def _both_or_neither(self) -> Self:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("set both DONDOC_INTAKE_TLS_CERTIFICATE and DONDOC_INTAKE_TLS_KEY, or neither")
        return self

    @property
    def certificates(self) -> Mapping[str, Path | None]:
        """As for every service, and the certificate of its own port."""
        return {**super().certificates, "https": self.tls_certificate}

    @property
    def tls(self) -> Tls | None:
        """The certificate that the port is served with; None where a proxy in front ends TLS."""
        if self.tls_certificate is None or self.tls_key is None:
            return None
        return Tls(certificate=self.tls_certificate, key=self.tls_key)
