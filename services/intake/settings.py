"""What is set of intake from outside, by environment variables `DONDOC_INTAKE_…` (and the shared `DONDOC_…`)."""

from pathlib import Path

from pydantic import Field, HttpUrl, SecretStr
from pydantic_settings import SettingsConfigDict

from schemas.links import KEY_LENGTH_MIN
from services.runtime.settings import ServiceSettings

MEBIBYTE = 1024 * 1024


class IntakeSettings(ServiceSettings):
    """Intake's own settings."""

    model_config = SettingsConfigDict(env_prefix="DONDOC_INTAKE_", extra="ignore", frozen=True)

    port: int = Field(default=8001, ge=0, le=65535)
    keys: Path = Path(".dondoc/keys.json")
    signing_keys: Path = Path(".dondoc/signing-keys.json")
    spool: Path = Path(".dondoc/spool")
    spool_max_bytes: int = Field(default=1024 * MEBIBYTE, ge=MEBIBYTE)
    issuer: str = "dondoc-intake"
    rules_url: HttpUrl = HttpUrl("http://127.0.0.1:8002")
    memory_hours: float = Field(default=24.0, gt=0)
    bus_patience_seconds: float = Field(default=1.5, gt=0)
    body_patience_seconds: float = Field(default=30.0, gt=0)
    form_key: SecretStr | None = Field(default=None, min_length=KEY_LENGTH_MIN)
    form_max_bytes: int = Field(default=32 * MEBIBYTE, ge=MEBIBYTE)
    form_patience_seconds: float = Field(default=300.0, gt=0)
    attachments: str = ".dondoc/attachments"
    bodies_max_bytes: int = Field(default=256 * MEBIBYTE, ge=16 * MEBIBYTE)
