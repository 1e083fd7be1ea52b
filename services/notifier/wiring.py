"""The works of the notifier: each part made once from the settings, opened in order, closed in reverse."""

import gc
import random
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from prometheus_client import CollectorRegistry

from schemas.events.deliveries import Channel
from schemas.events.form_links import LinkKey
from services.notifier.background_loop import Loop
from services.notifier.channels.email import EmailCarrier, SmtpServer
from services.notifier.channels.message import Carrier
from services.notifier.channels.smpp_session import SmsCentre
from services.notifier.channels.sms_smpp import WINDOW, SmsCarrier
from services.notifier.cited_documents import PublishedLibrary
from services.notifier.clocks import Clocks
from services.notifier.consumer import Verdicts
from services.notifier.contact_store import ContactStore
from services.notifier.core.rendering.form_links import FormLinks
from services.notifier.core.rendering.render import Means
from services.notifier.core.scheduling.retry import RetryPolicy
from services.notifier.digest_scheduler import HandOver
from services.notifier.dispatcher import Attempts
from services.notifier.ledger import Ledger
from services.notifier.metrics import NotifierMetrics
from services.notifier.outbox import Publisher
from services.notifier.sender import Manner, Sender
from services.notifier.settings import NotifierSettings
from services.runtime import mongo
from services.runtime.batch_consumer import Records
from services.runtime.clock import SystemClock, clock_from
from services.runtime.dead_letters import DeadLetters
from services.runtime.published_documents import PublishedDocuments
from services.runtime.topics import ensure_topics

TICK_SECONDS = 0.05  # between looks at the clock: well below the quarter second in which an alert should follow
LARGEST_REQUEST_BYTES = 17 * 1024 * 1024  # what the dead letter topic carries in one record
SURVEY_SECONDS = 1.0  # between looks for what dead processes left, and between readings of the backlog


class Works:
    """All parts of one notifier process."""

    def __init__(self, settings: NotifierSettings, registry: CollectorRegistry) -> None:
        self._settings = settings
        self._metrics = NotifierMetrics(registry)
        self.clock = clock_from(settings.clock)
        self._clocks = Clocks(service=self.clock, wall=SystemClock())
        self._name = secrets.token_hex(8)
        self.client = mongo.connect(settings.mongo_url)
        self.ledger = Ledger(self.client, settings.mongo_database)
        self.references = PublishedDocuments(settings.kafka)
        self._library = PublishedLibrary(self.references, opens=settings.opens, closes=settings.closes)
        self._contacts = ContactStore(self.client, settings.mongo_database)
        self._verdicts: Verdicts | None = None

    @asynccontextmanager
    async def running(self, halt: Callable[[], None]) -> AsyncIterator[None]:
        """Open everything, and close it in reverse order."""
        async with AsyncExitStack() as opened:
            opened.callback(self.client.close)
            await self.ledger.prepare()
            await ensure_topics(self._settings.kafka, self._settings.partitions, self._settings.kafka_replication)
            await self.references.start()
            opened.push_async_callback(self.references.stop)
            gc.freeze()  # what is published lives on: no collection need walk it
            producer = AIOKafkaProducer(
                **self._settings.kafka.client(),
                acks="all",
                enable_idempotence=True,
                max_request_size=LARGEST_REQUEST_BYTES,
            )
            await producer.start()
            opened.push_async_callback(producer.stop)
            carriers = self._carriers()
            for carrier in carriers.values():
                opened.push_async_callback(carrier.close)
            sending = self._start_turns(producer, carriers, opened, halt)
            self._verdicts = Verdicts(
                ledger=self.ledger,
                library=self._library,
                dead_letters=DeadLetters(producer, self.clock),
                clock=self.clock,
                metrics=self._metrics,
                lookback=timedelta(days=self._settings.lookback_days),
                followed=sending.wake,
            )
            yield

    async def on_batch(self, records: Records, consumer: AIOKafkaConsumer) -> None:
        """Handle a batch of verdicts; the consumer starts after everything is open."""
        if self._verdicts is None:
            raise RuntimeError("the works are not running")
        await self._verdicts.on_batch(records, consumer)

    def _start_turns(
        self,
        producer: AIOKafkaProducer,
        carriers: Mapping[Channel, Carrier],
        opened: AsyncExitStack,
        halt: Callable[[], None],
    ) -> Loop:
        """Start sending, publishing and surveying; return the loop that sends."""
        attempts = self._attempts(carriers)
        hand_over = HandOver(self.ledger, self._contacts, self._library, clocks=self._clocks, name=self._name)
        lease = timedelta(seconds=self._settings.lease_seconds)
        publishing = Loop(Publisher(self.ledger, producer, self.clock).publish, tick_seconds=TICK_SECONDS)

        async def attempt() -> bool:
            attempted = await attempts.make_due()
            if attempted:
                publishing.wake()
            return attempted > 0

        async def send() -> bool:
            is_more = await hand_over.due(lease)
            return await attempt() or is_more

        async def survey() -> bool:
            await hand_over.finish_lost()
            await attempts.give_up_lost()
            self._metrics.show(await self.ledger.backlog(self.clock.now()))
            return False

        sending = Loop(send, tick_seconds=TICK_SECONDS)
        # A second chunk is on its way while the first is written down.
        helping = Loop(attempt, tick_seconds=SURVEY_SECONDS)
        for loop in (publishing, Loop(survey, tick_seconds=SURVEY_SECONDS), helping, sending):
            loop.start(halt)
            opened.push_async_callback(loop.stop)
        return sending

    def _attempts(self, carriers: Mapping[Channel, Carrier]) -> Attempts:
        settings = self._settings
        manner = Manner(
            policy=RetryPolicy(
                first=timedelta(seconds=settings.retry_first_seconds),
                longest=timedelta(seconds=settings.retry_longest_seconds),
                attempts=settings.retry_attempts,
            ),
            spread=random.SystemRandom().random,
            lease=timedelta(seconds=settings.lease_seconds),
            domain=settings.mail_from.rpartition("@")[2],
            means=Means(letters=settings.sms_letters, links=_links(settings)),
            slots={Channel.EMAIL: settings.smtp_connections, Channel.SMS: WINDOW},
        )
        sender = Sender(manner, library=self._library, carriers=carriers, clock=self.clock, metrics=self._metrics)
        return Attempts(self.ledger, sender, self._clocks, name=self._name)

    def _carriers(self) -> Mapping[Channel, Carrier]:
        sms = SmsCarrier(
            self._sms_centre(), lambda part, failed: self.ledger.note_receipt(part, failed, self.clock.now())
        )
        sms.start()
        return {Channel.EMAIL: EmailCarrier(self._smtp_server()), Channel.SMS: sms}

    def _smtp_server(self) -> SmtpServer:
        settings = self._settings
        return SmtpServer(
            host=settings.smtp_host,
            port=settings.smtp_port,
            user=settings.smtp_user,
            password=settings.smtp_password.get_secret_value() if settings.smtp_password else None,
            use_tls=settings.smtp_security == "tls",
            start_tls=settings.smtp_security == "starttls",
            ca_file=settings.smtp_ca_file,
            timeout_seconds=settings.smtp_timeout_seconds,
            sender=settings.mail_from,
            sender_name=settings.mail_from_name,
        )

    def _sms_centre(self) -> SmsCentre:
        settings = self._settings
        return SmsCentre(
            host=settings.smpp_host,
            port=settings.smpp_port,
            system_id=settings.smpp_system_id,
            password=settings.smpp_password.get_secret_value(),
            sender=settings.sms_sender,
            timeout_seconds=settings.smpp_timeout_seconds,
        )


def _links(settings: NotifierSettings) -> FormLinks | None:
    if settings.form_key is None or settings.form_url is None:
        return None
    return FormLinks(
        key=LinkKey(settings.form_key.get_secret_value()),
        base=str(settings.form_url),
        lasting=timedelta(days=settings.form_link_days),
    )
