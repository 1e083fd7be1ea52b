"""Opens the routes that are configured: each with its channel, its limits and its circuit breaker."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from pydantic import SecretStr

from schemas.events.deliveries import Channel
from services.notifier.channels import dkim_signer, http_gateway
from services.notifier.channels.dkim_signer import DkimSigner
from services.notifier.channels.email import EmailChannel
from services.notifier.channels.http_gateway import HttpChannel, HttpGateway
from services.notifier.channels.message_channel import MessageChannel
from services.notifier.channels.smpp_session import SmsCentre
from services.notifier.channels.sms_smpp import OnReceipt, SmppOptions, SmsChannel
from services.notifier.channels.smtp_session import SmtpServer
from services.notifier.channels.trial import TrialChannel
from services.notifier.core.dispatch.circuit import CircuitPolicy
from services.notifier.dispatch.attempts import DeliveryRoute, RouteLimits
from services.notifier.dispatch.route_file import (
    DkimKey,
    HttpProvider,
    ReceiptReports,
    RouteEntry,
    SmppProvider,
    SmtpProvider,
)
from services.notifier.feedback import receipt_webhook
from services.notifier.feedback.receipt_webhook import ReceiptGateway
from services.notifier.metrics import NotifierMetrics
from services.notifier.settings import NotifierSettings

_BEGUN_PER_CONNECTION = 8  # messages begun for each connection, so that the next one is at hand when an answer comes
_LONGEST_PAUSE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteOpener:
    """Opens routes. `on_receipt` stores what an SMS centre reports later."""

    settings: NotifierSettings
    metrics: NotifierMetrics
    on_receipt: OnReceipt

    def open_all(self, entries: Sequence[RouteEntry]) -> Sequence[tuple[Channel, DeliveryRoute]]:
        """Return the routes with their channels; a later one of a channel stands in for the earlier ones."""
        opened: list[tuple[Channel, DeliveryRoute]] = []
        for entry in entries:
            route = self._open(entry)
            route.stand_in_for([one for channel, one in opened if channel is entry.channel])
            opened.append((entry.channel, route))
        return opened

    def _open(self, entry: RouteEntry) -> DeliveryRoute:
        carrier, window, concurrency = self._open_carrier(entry)
        limits = RouteLimits(
            window=window,
            concurrency=concurrency,
            per_minute=entry.per_minute,
            per_domain=entry.per_domain_minute,
        )
        first = timedelta(seconds=self.settings.retry_first_seconds) / 2
        policy = CircuitPolicy(first=first, longest=max(first, _LONGEST_PAUSE))
        return DeliveryRoute(entry.name, carrier, limits=limits, policy=policy)

    def _open_carrier(self, entry: RouteEntry) -> tuple[MessageChannel, int, int]:
        """Return the carrier of *entry*, how many attempts it may have begun, and how many on the wire."""
        if self.settings.trial_to is not None:
            mail = EmailChannel(self._trial_server(), connections=1)
            return TrialChannel(mail, self.settings.trial_to), _BEGUN_PER_CONNECTION, 1
        if entry.smtp is not None:
            connections = entry.smtp.connections
            channel = EmailChannel(self._smtp_server(entry.smtp), connections=connections)
            return channel, connections * _BEGUN_PER_CONNECTION, connections
        if entry.smpp is not None:
            return self._open_centre(entry.smpp, entry.name), entry.smpp.window, entry.smpp.window
        if entry.http is not None:
            connections = entry.http.connections
            return (
                HttpChannel(_http_gateway(entry.http), id_prefix=f"{entry.name}:"),
                connections * _BEGUN_PER_CONNECTION,
                connections,
            )
        raise ValueError(f"route {entry.name} has no provider")

    def _open_centre(self, provider: SmppProvider, name: str) -> SmsChannel:
        centre = SmsCentre(
            host=provider.host,
            port=provider.port,
            system_id=provider.system_id,
            password=_read_secret(provider.password, provider.password_file),
            sender=provider.sender,
            timeout_seconds=provider.timeout_seconds,
            window=provider.window,
            validity_hours=provider.validity_hours,
            enquire_seconds=provider.enquire_seconds,
        )
        options = SmppOptions(
            binds=("transceiver",) if provider.bind == "transceiver" else ("transmitter", "receiver"),
            message_ids=provider.message_ids,
            long_messages=provider.long_messages,
            # Two centres may give out the same id. The one of the plain settings has no prefix, as in older ledgers.
            id_prefix="" if self.settings.routes is None else f"{name}:",
        )
        channel = SmsChannel(
            centre, options, on_receipt=self.on_receipt, on_unreadable=self.metrics.receipts_unreadable.inc
        )
        channel.start()
        return channel

    def _smtp_server(self, provider: SmtpProvider) -> SmtpServer:
        return SmtpServer(
            host=provider.host,
            port=provider.port,
            user=provider.user,
            password=_read_secret(provider.password, provider.password_file) or None,
            security=provider.security,
            ca_file=provider.ca_file,
            timeout_seconds=provider.timeout_seconds,
            sender=self.settings.mail_from,
            sender_name=self.settings.mail_from_name,
            return_path=self.settings.return_path,
            signer=None if provider.dkim is None else _open_signer(provider.dkim),
        )

    def _trial_server(self) -> SmtpServer:
        """Return the mail server of the plain settings: a trial needs no provider of SMS."""
        settings = self.settings
        return self._smtp_server(
            SmtpProvider(
                host=settings.smtp_host,
                port=settings.smtp_port,
                security=settings.smtp_security,
                ca_file=settings.smtp_ca_file,
                user=settings.smtp_user,
                password=settings.smtp_password,
            )
        )


def _open_signer(dkim: DkimKey) -> DkimSigner:
    key = dkim_signer.read_signing_key(dkim.key_file)
    return DkimSigner(domain=dkim.domain, selector=dkim.selector, key=key)


def _http_gateway(provider: HttpProvider) -> HttpGateway:
    return HttpGateway(
        url=str(provider.url),
        headers=provider.headers,
        body=provider.body,
        encoding=provider.encoding,
        success=http_gateway.compile_expression(provider.success),
        busy=http_gateway.compile_expression(provider.busy),
        elsewhere=http_gateway.compile_expression(provider.elsewhere),
        bad_address=http_gateway.compile_expression(provider.bad_address),
        message_id=http_gateway.compile_expression(provider.message_id),
        sender=provider.sender,
        secret=_read_secret(None, provider.secret_file),
        receipts_key="" if provider.receipts is None else _read_secret(None, provider.receipts.secret_file),
        timeout_seconds=provider.timeout_seconds,
        connections=provider.connections,
    )


def open_receipt_gateways(entries: Sequence[RouteEntry]) -> Mapping[str, ReceiptGateway]:
    """Return how the routes whose gateways report do it, by the name of the route."""
    reporting = ((entry.name, entry.http.receipts) for entry in entries if entry.http is not None)
    return {name: _receipt_gateway(one) for name, one in reporting if one is not None}


def _receipt_gateway(reports: ReceiptReports) -> ReceiptGateway:
    compiled = {
        name: http_gateway.compile_expression(getattr(reports, name), receipt_webhook.VARIABLES)
        for name in ReceiptReports.EXPRESSIONS
    }
    return ReceiptGateway(secret=_read_secret(None, reports.secret_file), header=reports.header, **compiled)


def _read_secret(given: SecretStr | None, file: Path | None) -> str:
    if file is not None:
        return file.read_text(encoding="utf-8").strip()
    return "" if given is None else given.get_secret_value()
