"""What is set from outside for reporting: `DONDOC_REPORTING_…`, and the names that every service shares."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from services.reporting.documents.letterhead import Letterhead
from services.runtime.settings import MongoSettings, ServiceSettings

DEFAULT = Letterhead()


class ReportingSettings(ServiceSettings, MongoSettings):
    """Where reporting listens, how it consumes, and what stands at the head of the annual report."""

    model_config = SettingsConfigDict(env_prefix="DONDOC_REPORTING_", extra="ignore", frozen=True)

    port: int = Field(default=8004, ge=0, le=65535)
    mongo_database: str = "dondoc-reporting"
    group: str = "dondoc-reporting"
    batch_records: int = Field(default=5_000, ge=1)
    session_timeout_ms: int = Field(default=10_000, ge=1_000)
    letterhead_superior: str = DEFAULT.superior
    letterhead_issuer: str = DEFAULT.issuer
    letterhead_symbol: str = DEFAULT.symbol
    letterhead_place: str = DEFAULT.place
    letterhead_addressee: str = DEFAULT.addressee
    letterhead_authority: str = DEFAULT.authority

    @property
    def letterhead(self) -> Letterhead:
        """The head of the annual report as set."""
        return Letterhead(
            superior=self.letterhead_superior,
            issuer=self.letterhead_issuer,
            symbol=self.letterhead_symbol,
            place=self.letterhead_place,
            addressee=self.letterhead_addressee,
            authority=self.letterhead_authority,
        )
