"""The settings of reporting: environment variables `DONDOC_REPORTING_…`, and those that every service shares."""

from typing import ClassVar

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from services.runtime.settings import MongoSettings, ServiceSettings


class ReportingSettings(ServiceSettings, MongoSettings):
    """The port, the database and the consumer."""

    model_config = SettingsConfigDict(env_prefix="DONDOC_REPORTING_", extra="ignore", frozen=True)
    secret_files: ClassVar[tuple[str, ...]] = ("mongo_url",)

    port: int = Field(default=8004, ge=0, le=65535)
    admin_port: int | None = Field(default=None, ge=1, le=65535, validation_alias="DONDOC_ADMIN_PORT_REPORTING")
    mongo_database: str = "dondoc-reporting"
    group: str = "dondoc-reporting"
    batch_records: int = Field(default=5_000, ge=1)
    session_timeout_ms: int = Field(default=10_000, ge=1_000)
