"""The settings of rules: `DONDOC_RULES_…`, and those that every service shares."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from services.runtime.settings import ServiceSettings


class RulesSettings(ServiceSettings):
    """Where rules listens and how it consumes facts."""

    model_config = SettingsConfigDict(env_prefix="DONDOC_RULES_", extra="ignore", frozen=True)

    port: int = Field(default=8002, ge=0, le=65535)
    admin_port: int | None = Field(default=None, ge=1, le=65535, validation_alias="DONDOC_ADMIN_PORT_RULES")
    group: str = "dondoc-rules"
    batch_records: int = Field(default=5_000, ge=1)
    session_timeout_ms: int = Field(default=10_000, ge=1_000)
