"""What is set from outside, by environment variables.

The names every service shares begin with `DONDOC_`; a service's own begin with `DONDOC_<SERVICE>_`, and there may also
override a shared one. It refuses to read anything at import: a service builds its settings when it starts.
"""

from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from schemas.topics import DEFAULT_PARTITIONS
from services.runtime.clock import SYSTEM, clock_from

SHARED_PREFIX = "DONDOC_"


def _a_clock(setting: str) -> str:
    clock_from(setting)
    return setting


class ServiceSettings(BaseSettings):
    """What every service needs to know. A service subclasses it with its `env_prefix` and its own port."""

    model_config = SettingsConfigDict(env_prefix=SHARED_PREFIX, extra="ignore", frozen=True)
    shared: ClassVar[str] = SHARED_PREFIX

    kafka_bootstrap: str = "127.0.0.1:9092"
    kafka_replication: int = Field(default=1, ge=1)
    partitions: int = Field(default=DEFAULT_PARTITIONS, ge=1)
    clock: Annotated[str, AfterValidator(_a_clock)] = SYSTEM
    log_level: str = "INFO"
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - no file is read besides the environment
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as above
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Ask the service's own names first, then the shared ones."""
        return init_settings, env_settings, EnvSettingsSource(settings_cls, env_prefix=cls.shared)


class MongoSettings(BaseSettings):
    """What a service with a database needs besides. The database is the service's own; each names its own default."""

    mongo_url: str = "mongodb://127.0.0.1:27017/?replicaSet=rs0&directConnection=true"
    mongo_database: str = "dondoc"
