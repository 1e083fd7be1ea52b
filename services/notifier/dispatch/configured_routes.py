"""The routes that the settings describe: one mail server and one SMS centre."""

from collections.abc import Sequence
from datetime import timedelta

from schemas.events.deliveries import Channel
from services.notifier.channels.email import EmailChannel
from services.notifier.channels.message_channel import MessageChannel
from services.notifier.channels.smpp_session import SmsCentre
from services.notifier.channels.sms_smpp import OnReceipt, SmppOptions, SmsChannel
from services.notifier.channels.smtp_session import SmtpServer
from services.notifier.core.dispatch.circuit import CircuitPolicy
from services.notifier.dispatch.route import DeliveryRoute, RouteLimits
from services.notifier.metrics import NotifierMetrics
from services.notifier.settings import NotifierSettings

SMTP, SMPP = "smtp", "smpp"
_BEGUN_PER_CONNECTION = 4  # mails begun for each connection, so that the next one is at hand when an answer comes
_LONGEST_PAUSE = timedelta(minutes=5)


def list_names(settings: NotifierSettings) -> Sequence[str]:
    """Return the names of the routes."""
    del settings
    return (SMTP, SMPP)


def open_routes(
    settings: NotifierSettings, on_receipt: OnReceipt, metrics: NotifierMetrics
) -> Sequence[tuple[Channel, DeliveryRoute]]:
    """Return the routes with their channels, those of one channel in the order of preference."""
    connections = settings.smtp_connections
    mail = RouteLimits(
        window=connections * _BEGUN_PER_CONNECTION,
        concurrency=connections,
        per_minute=settings.smtp_per_minute,
        per_domain=settings.smtp_per_domain_minute,
    )
    window = settings.smpp_window
    sms = RouteLimits(window=window, concurrency=window, per_minute=settings.smpp_per_minute)
    options = SmppOptions(
        binds=("transceiver",) if settings.smpp_bind == "transceiver" else ("transmitter", "receiver"),
        message_ids=settings.smpp_message_ids,
        long_messages=settings.smpp_long_messages,
    )
    centre = SmsChannel(
        _sms_centre(settings), options, on_receipt=on_receipt, on_unreadable=metrics.receipts_unreadable.inc
    )
    centre.start()
    return (
        (
            Channel.EMAIL,
            _create_route(settings, SMTP, EmailChannel(_smtp_server(settings), connections=connections), mail),
        ),
        (Channel.SMS, _create_route(settings, SMPP, centre, sms)),
    )


def _create_route(settings: NotifierSettings, name: str, carrier: MessageChannel, limits: RouteLimits) -> DeliveryRoute:
    first = timedelta(seconds=settings.retry_first_seconds) / 2
    return DeliveryRoute(
        name, carrier, limits=limits, policy=CircuitPolicy(first=first, longest=max(first, _LONGEST_PAUSE))
    )


def _smtp_server(settings: NotifierSettings) -> SmtpServer:
    return SmtpServer(
        host=settings.smtp_host,
        port=settings.smtp_port,
        user=settings.smtp_user,
        password=settings.smtp_password.get_secret_value() if settings.smtp_password else None,
        security=settings.smtp_security,
        ca_file=settings.smtp_ca_file,
        timeout_seconds=settings.smtp_timeout_seconds,
        sender=settings.mail_from,
        sender_name=settings.mail_from_name,
    )


def _sms_centre(settings: NotifierSettings) -> SmsCentre:
    return SmsCentre(
        host=settings.smpp_host,
        port=settings.smpp_port,
        system_id=settings.smpp_system_id,
        password=settings.smpp_password.get_secret_value(),
        sender=settings.sms_sender,
        timeout_seconds=settings.smpp_timeout_seconds,
        window=settings.smpp_window,
        validity_hours=settings.smpp_validity_hours,
        enquire_seconds=settings.smpp_enquire_seconds,
    )
