"""The settings of rules: `DONDOC_RULES_…`, and those that every service shares."""

from pathlib import Path
from typing import ClassVar

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from services.runtime.settings import SECRET_LENGTH_MIN, ServiceSettings


class RulesSettings(ServiceSettings):
    """Where rules listens and how it consumes facts."""

    model_config = SettingsConfigDict(env_prefix="DONDOC_RULES_", extra="ignore", frozen=True)

    secret_files: ClassVar[tuple[str, ...]] = ("dry_run_key",)

    port: int = Field(default=8002, ge=0, le=65535)
    admin_port: int | None = Field(default=None, ge=1, le=65535, validation_alias="DONDOC_ADMIN_PORT_RULES")
    dry_run_key: SecretStr | None = Field(default=None, min_length=SECRET_LENGTH_MIN)
    dry_run_key_file: Path | None = None
    group: str = "dondoc-rules"
    batch_records: int = Field(default=5_000, ge=1)
    session_timeout_ms: int = Field(default=10_000, ge=1_000)

    @property
    def key_of_intake(self) -> str | None:
        """The key with which intake asks for dry runs; without one only this machine may ask."""
        return None if self.dry_run_key is None else self.dry_run_key.get_secret_value()
