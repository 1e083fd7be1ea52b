"""The settings of the notifier: environment variables `DONDOC_NOTIFIER_…` (and the shared `DONDOC_…`)."""

import ipaddress
from datetime import time
from pathlib import Path
from typing import ClassVar, Literal, Self

from pydantic import Field, HttpUrl, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from schemas.events.signed_tokens import KEY_LENGTH_MIN
from services.notifier.address_vault import AddressCipher, AddressVault
from services.notifier.core.dispatch.bounces import ReturnPath
from services.notifier.core.dispatch.receipts import MessageIds
from services.notifier.core.rendering.render import SmsLetters
from services.runtime.settings import SECRET_LENGTH_MIN, MongoSettings, ServiceSettings

GROUP = "dondoc.notifier"
MAX_BRAND_NAME = 11  # letters in an alphanumeric SMS sender, 3GPP TS 23.040 section 9.1.2.5


class NotifierSettings(ServiceSettings, MongoSettings):
    """The notifier's own settings; docs/settings.md explains each."""

    model_config = SettingsConfigDict(env_prefix="DONDOC_NOTIFIER_", env_ignore_empty=True, extra="ignore", frozen=True)
    secret_files: ClassVar[tuple[str, ...]] = (
        "mongo_url",
        "smtp_password",
        "smpp_password",
        "bounce_key",
        "imap_password",
        "form_key",
        "dashboard_key",
        "contacts_key",
    )

    port: int = Field(default=8003, ge=0, le=65535)
    admin_port: int | None = Field(default=None, ge=1, le=65535, validation_alias="DONDOC_ADMIN_PORT_NOTIFIER")
    mongo_database: str = "dondoc_notifier"

    group: str = GROUP
    session_timeout_ms: int = Field(default=10_000, ge=1_000)

    opens: time = time(7, 30)
    closes: time = time(17, 30)
    lookback_days: int = Field(default=30, ge=0)

    routes: Path | None = None
    trial_to: str | None = None

    smtp_host: str = "127.0.0.1"
    smtp_port: int = Field(default=1025, ge=1, le=65535)
    smtp_security: Literal["none", "opportunistic", "starttls", "tls"] = "none"
    smtp_ca_file: Path | None = None
    smtp_user: str | None = None
    smtp_password: SecretStr | None = None
    smtp_password_file: Path | None = None
    smtp_connections: int = Field(default=4, ge=1)
    smtp_per_minute: float | None = Field(default=None, gt=0)
    smtp_per_domain_minute: float | None = Field(default=None, gt=0)
    smtp_timeout_seconds: float = Field(default=20.0, gt=0)
    mail_from: str = "don-doc@dondoc.example"
    mail_from_name: str = "Đôn Đốc"

    bounce_domain: str | None = None
    bounce_key: SecretStr | None = Field(default=None, min_length=KEY_LENGTH_MIN)
    bounce_key_file: Path | None = None

    imap_host: str | None = None
    imap_port: int = Field(default=993, ge=1, le=65535)
    imap_security: Literal["none", "starttls", "tls"] = "tls"
    imap_ca_file: Path | None = None
    imap_user: str = ""
    imap_password: SecretStr = SecretStr("")
    imap_password_file: Path | None = None
    imap_folder: str = "INBOX"
    imap_timeout_seconds: float = Field(default=20.0, gt=0)

    smpp_host: str = "127.0.0.1"
    smpp_port: int = Field(default=2775, ge=1, le=65535)
    smpp_system_id: str = "dondoc"
    smpp_password: SecretStr = SecretStr("dondoc")
    smpp_password_file: Path | None = None
    smpp_timeout_seconds: float = Field(default=20.0, gt=0)
    smpp_bind: Literal["transceiver", "separate"] = "transceiver"
    smpp_window: int = Field(default=32, ge=1, le=1_000)
    smpp_message_ids: MessageIds = MessageIds.AS_WRITTEN
    smpp_long_messages: Literal["parts", "payload"] = "parts"
    smpp_validity_hours: int = Field(default=24, ge=0, le=24 * 28)
    smpp_enquire_seconds: float = Field(default=30.0, gt=0, le=30.0)
    smpp_per_minute: float | None = Field(default=None, gt=0)
    sms_sender: str = Field(default="DONDOC", min_length=1, max_length=MAX_BRAND_NAME)
    sms_letters: SmsLetters = SmsLetters.UNACCENTED

    form_key: SecretStr | None = Field(default=None, min_length=KEY_LENGTH_MIN)
    form_key_file: Path | None = None
    form_url: HttpUrl | None = None
    form_link_days: float = Field(default=90.0, gt=0)
    dashboard_key: SecretStr | None = Field(default=None, min_length=KEY_LENGTH_MIN)
    dashboard_key_file: Path | None = None
    dashboard_url: HttpUrl | None = None
    acknowledge_url: HttpUrl | None = None

    officers: Path | None = None
    text_days: int = Field(default=1_830, ge=1)

    contacts_key: SecretStr | None = Field(default=None, min_length=SECRET_LENGTH_MIN)
    contacts_key_file: Path | None = None

    lease_seconds: float = Field(default=60.0, gt=0)
    retry_first_seconds: float = Field(default=30.0, gt=0)
    retry_longest_seconds: float = Field(default=4 * 3600.0, gt=0)
    retry_attempts: int = Field(default=12, ge=1)

    @property
    def return_path(self) -> ReturnPath | None:
        """The domain and key of return paths; None where what bounces goes to the sender address."""
        if self.bounce_domain is None or self.bounce_key is None:
            return None
        return ReturnPath(domain=self.bounce_domain, key=self.bounce_key.get_secret_value().encode())

    @property
    def vault(self) -> AddressVault:
        """What writes and reads addresses in the database; in clear without a key."""
        key = self.contacts_key
        return AddressVault(None if key is None else AddressCipher(key.get_secret_value()))

    @model_validator(mode="after")
    def _require_return_path(self) -> Self:
        """Refuse a mailbox whose reports could not be recognised, and a password that anybody could read."""
        if self.imap_host is None:
            return self
        if self.return_path is None:
            raise ValueError(
                "DONDOC_NOTIFIER_IMAP_HOST needs DONDOC_NOTIFIER_BOUNCE_DOMAIN and DONDOC_NOTIFIER_BOUNCE_KEY, by which"
                " reports in that mailbox are recognised"
            )
        if self.imap_security == "none" and not _is_this_machine(self.imap_host):
            raise ValueError(
                f"DONDOC_NOTIFIER_IMAP_SECURITY is none, so the password would go to {self.imap_host} in clear; set it"
                " to tls or starttls"
            )
        return self

    @model_validator(mode="after")
    def _refuse_password_in_clear(self) -> Self:
        """Refuse a password that anybody on the way to the mail server could read (RFC 4954 section 4)."""
        has_credentials = self.smtp_user is not None or self.smtp_password is not None
        is_clear = self.smtp_security in {"none", "opportunistic"}
        if has_credentials and is_clear and not _is_this_machine(self.smtp_host):
            raise ValueError(
                f"DONDOC_NOTIFIER_SMTP_SECURITY is {self.smtp_security}, so DONDOC_NOTIFIER_SMTP_USER and"
                f" DONDOC_NOTIFIER_SMTP_PASSWORD would go to {self.smtp_host} in clear; set it to starttls or tls, or"
                " unset them"
            )
        return self


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
