"""The settings of reporting: environment variables `DONDOC_REPORTING_…`, and those that every service shares."""

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field, HttpUrl, SecretStr
from pydantic_settings import SettingsConfigDict

from schemas.events.signed_tokens import KEY_LENGTH_MIN
from services.runtime import attachment_store
from services.runtime.settings import MongoSettings, ServiceSettings


class ReportingSettings(ServiceSettings, MongoSettings):
    """The port, the readers, the database and the consumer."""

    model_config = SettingsConfigDict(env_prefix="DONDOC_REPORTING_", extra="ignore", frozen=True)
    secret_files: ClassVar[tuple[str, ...]] = ("mongo_url", "dashboard_key", "intake_key")

    port: int = Field(default=8004, ge=0, le=65535)
    admin_port: int | None = Field(default=None, ge=1, le=65535, validation_alias="DONDOC_ADMIN_PORT_REPORTING")
    readers: Path = Path(".dondoc/readers.json")
    link_revocations: Path = Path(".dondoc/link-revocations.json")
    dashboard_key: SecretStr | None = Field(default=None, min_length=KEY_LENGTH_MIN)
    dashboard_key_file: Path | None = None
    intake_url: HttpUrl = HttpUrl("http://127.0.0.1:8001")
    intake_key: SecretStr | None = Field(default=None, min_length=KEY_LENGTH_MIN)
    intake_key_file: Path | None = None
    public: Literal["nothing", "figures"] = "nothing"
    mongo_database: str = "dondoc-reporting"
    group: str = "dondoc-reporting"
    # One setting for intake, which stores the files, and for reporting, which opens them.
    attachments: str = Field(default=attachment_store.DEFAULT_LOCATION, validation_alias="DONDOC_INTAKE_ATTACHMENTS")
    batch_records: int = Field(default=5_000, ge=1)
    session_timeout_ms: int = Field(default=10_000, ge=1_000)
    rules_group: str = Field(default="dondoc-rules", validation_alias="DONDOC_RULES_GROUP")
    dashboard_url: HttpUrl = HttpUrl("http://127.0.0.1:8004")
