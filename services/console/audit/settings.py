"""The settings of the audit: `DONDOC_AUDIT_…`, and those that every service shares."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from services.runtime.settings import ServiceSettings


class AuditSettings(ServiceSettings):
    """Where the index of the log lies, and where a scheduled audit serves its metrics."""

    model_config = SettingsConfigDict(env_prefix="DONDOC_AUDIT_", env_ignore_empty=True, extra="ignore", frozen=True)

    port: int = Field(default=8005, ge=0, le=65535)
    state: Path | None = None
    """The file that keeps the index of the log between runs; None: a temporary file for one run."""
