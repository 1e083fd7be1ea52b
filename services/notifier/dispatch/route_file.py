"""The file of routes: which providers there are for each channel, in the order of preference.

Without the file there are two routes, `smtp` and `smpp`, from the settings `DONDOC_NOTIFIER_SMTP_…` and `…_SMPP_…`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, JsonValue, SecretStr, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from schemas.cel.syntax import InvalidExpression
from schemas.events.deliveries import Channel
from services.notifier.channels import dkim_signer, http_gateway
from services.notifier.channels.dkim_signer import UnusableKeyError
from services.notifier.channels.smtp_session import Security
from services.notifier.core.dispatch.receipts import MessageIds
from services.notifier.core.scheduling.routing import ContactRole
from services.notifier.feedback import receipt_webhook
from services.notifier.settings import MAX_BRAND_NAME, NotifierSettings

Port = Annotated[int, Field(ge=1, le=65535)]
BrandName = Annotated[str, Field(min_length=1, max_length=MAX_BRAND_NAME)]


class RouteFileError(Exception):
    """The file of routes cannot be used. The message names each place and what is wanted there."""


class _FilePart(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DkimKey(_FilePart):
    """By which key mails are signed, and where the DNS has its public half: `SELECTOR._domainkey.DOMAIN`."""

    domain: str = Field(pattern=r"[a-z0-9-]+(\.[a-z0-9-]+)+")
    selector: str = Field(pattern=r"[a-z0-9-]+(\.[a-z0-9-]+)*")
    key_file: Path

    @model_validator(mode="after")
    def _require_key(self) -> Self:
        try:
            dkim_signer.read_signing_key(self.key_file)
        except (OSError, UnusableKeyError) as cause:
            raise ValueError(f"key_file: {cause}") from cause
        return self


class SmtpProvider(_FilePart):
    """A mail server. With `dkim` mails are signed; most relays do that themselves."""

    host: str
    port: Port = 25
    security: Security = "starttls"
    ca_file: Path | None = None
    user: str | None = None
    password: SecretStr | None = None
    password_file: Path | None = None
    connections: int = Field(default=4, ge=1)
    timeout_seconds: float = Field(default=20.0, gt=0)
    dkim: DkimKey | None = None


class SmppProvider(_FilePart):
    """An SMS centre."""

    host: str
    port: Port = 2775
    system_id: str
    password: SecretStr = SecretStr("")
    password_file: Path | None = None
    sender: BrandName
    bind: Literal["transceiver", "separate"] = "transceiver"
    window: int = Field(default=32, ge=1, le=1_000)
    message_ids: MessageIds = MessageIds.AS_WRITTEN
    long_messages: Literal["parts", "payload"] = "parts"
    validity_hours: int = Field(default=24, ge=0, le=24 * 28)
    enquire_seconds: float = Field(default=30.0, gt=0, le=30.0)
    timeout_seconds: float = Field(default=20.0, gt=0)


class ReceiptReports(_FilePart):
    """How a gateway reports what became of a message; `receipt_webhook` says what the expressions are over.

    With `goes_elsewhere` a message that failed is sent by the next route of the channel.
    """

    EXPRESSIONS: ClassVar[tuple[str, ...]] = ("message_id", "confirmed", "failed", "no_number")

    secret_file: Path
    header: str | None = None
    message_id: str
    confirmed: str
    failed: str
    no_number: str = "false"
    goes_elsewhere: bool = False

    @model_validator(mode="after")
    def _compile(self) -> Self:
        _compile_all(self, self.EXPRESSIONS, receipt_webhook.VARIABLES)
        return self


class HttpProvider(_FilePart):
    """An SMS provider's HTTP interface; `http_gateway` says what the texts may hold."""

    url: HttpUrl
    headers: dict[str, str] = Field(default_factory=dict)
    body: JsonValue
    encoding: Literal["json", "form"] = "json"
    success: str
    busy: str = "false"
    elsewhere: str = "false"
    bad_address: str = "false"
    message_id: str = "null"
    sender: BrandName
    secret_file: Path | None = None
    connections: int = Field(default=4, ge=1)
    timeout_seconds: float = Field(default=20.0, gt=0)
    receipts: ReceiptReports | None = None

    @model_validator(mode="after")
    def _compile(self) -> Self:
        _compile_all(self, ("success", "busy", "elsewhere", "bad_address", "message_id"), http_gateway.VARIABLES)
        return self


class RouteEntry(_FilePart):
    """One route: a name, a channel, exactly one provider, and the rates that the provider allows."""

    name: str = Field(pattern=r"[a-z0-9][a-z0-9-]{0,30}")
    channel: Channel
    smtp: SmtpProvider | None = None
    smpp: SmppProvider | None = None
    http: HttpProvider | None = None
    per_minute: float | None = Field(default=None, gt=0)
    per_domain_minute: float | None = Field(default=None, gt=0)

    @property
    def goes_elsewhere(self) -> bool:
        """Whether what this route could not deliver goes on to the next one of its channel."""
        http = self.http
        return http is not None and (
            http.elsewhere != "false" or (http.receipts is not None and http.receipts.goes_elsewhere)
        )

    @model_validator(mode="after")
    def _require_one_provider(self) -> Self:
        given = [one for one in (self.smtp, self.smpp, self.http) if one is not None]
        if len(given) != 1:
            raise ValueError(f"route {self.name} needs exactly one of smtp, smpp and http")
        if (self.channel is Channel.EMAIL) != (self.smtp is not None):
            raise ValueError(f"route {self.name}: email goes by smtp, sms by smpp or http")
        return self


class RouteFile(_FilePart):
    """All routes. A channel without a route sends nothing, and what is due on it waits.

    `order` has the channels of a role, the preferred one first; a role that it does not name is written to on all.
    """

    routes: tuple[RouteEntry, ...] = Field(min_length=1)
    order: dict[ContactRole, tuple[Channel, ...]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _require_whole_order(self) -> Self:
        for role, channels in self.order.items():
            if sorted(channels) != sorted(Channel):
                raise ValueError(f"order.{role}: name each channel once: {', '.join(Channel)}")
        return self

    @model_validator(mode="after")
    def _require_names_once(self) -> Self:
        names = [one.name for one in self.routes]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"a route's name is there twice: {', '.join(twice)}")
        return self

    @model_validator(mode="after")
    def _require_next_route(self) -> Self:
        for place, entry in enumerate(self.routes):
            has_next = any(one.channel is entry.channel for one in self.routes[place + 1 :])
            if entry.goes_elsewhere and not has_next:
                raise ValueError(
                    f"route {entry.name} sends messages elsewhere: put another route of its channel below it"
                )
        return self


def load_routes(settings: NotifierSettings) -> RouteFile:
    """Return the routes of *settings*; raise `RouteFileError` if their file cannot be used."""
    if settings.routes is None:
        return RouteFile(routes=_describe_settings(settings))
    try:
        content: Any = YAML(typ="safe").load(settings.routes.read_text(encoding="utf-8"))
        loaded = RouteFile.model_validate(content)
    except (OSError, YAMLError) as cause:
        raise RouteFileError(f"{settings.routes}: {cause}") from cause
    except ValidationError as cause:
        faults = "\n".join(
            f"{settings.routes}: {'.'.join(map(str, one['loc']))}: {one['msg']}" for one in cause.errors()
        )
        # Without the cause: it quotes what was given, which may be a password.
        raise RouteFileError(faults) from None
    _require_own_domain(loaded.routes, settings)
    return loaded


def _require_own_domain(routes: Sequence[RouteEntry], settings: NotifierSettings) -> None:
    """Raise `RouteFileError` where mails are signed by a domain that is not the sender's, nor above it (RFC 7489)."""
    sender = settings.mail_from.rpartition("@")[2].lower()
    for place, entry in enumerate(routes):
        key = None if entry.smtp is None else entry.smtp.dkim
        if key is not None and not f".{sender}".endswith(f".{key.domain}"):
            raise RouteFileError(
                f"{settings.routes}: routes.{place}.smtp.dkim.domain: the sender is in {sender}, so a signature of"
                f" {key.domain} proves nothing of it (DMARC); write {sender} or a domain above it"
            )


def _compile_all(part: _FilePart, names: Sequence[str], variables: Sequence[str]) -> None:
    """Raise `ValueError` that names the first expression of *part* that is none over *variables*."""
    for name in names:
        try:
            http_gateway.compile_expression(getattr(part, name), variables)
        except InvalidExpression as cause:
            raise ValueError(f"{name}: {cause}") from cause


def _describe_settings(settings: NotifierSettings) -> tuple[RouteEntry, ...]:
    return (
        RouteEntry(
            name="smtp",
            channel=Channel.EMAIL,
            per_minute=settings.smtp_per_minute,
            per_domain_minute=settings.smtp_per_domain_minute,
            smtp=SmtpProvider(
                host=settings.smtp_host,
                port=settings.smtp_port,
                security=settings.smtp_security,
                ca_file=settings.smtp_ca_file,
                user=settings.smtp_user,
                password=settings.smtp_password,
                connections=settings.smtp_connections,
                timeout_seconds=settings.smtp_timeout_seconds,
            ),
        ),
        RouteEntry(
            name="smpp",
            channel=Channel.SMS,
            per_minute=settings.smpp_per_minute,
            smpp=SmppProvider(
                host=settings.smpp_host,
                port=settings.smpp_port,
                system_id=settings.smpp_system_id,
                password=settings.smpp_password,
                sender=settings.sms_sender,
                bind=settings.smpp_bind,
                window=settings.smpp_window,
                message_ids=settings.smpp_message_ids,
                long_messages=settings.smpp_long_messages,
                validity_hours=settings.smpp_validity_hours,
                enquire_seconds=settings.smpp_enquire_seconds,
                timeout_seconds=settings.smpp_timeout_seconds,
            ),
        ),
    )
