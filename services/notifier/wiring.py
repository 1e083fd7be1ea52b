"""Wiring: makes each component of the notifier from the settings, opens them in order and closes them in reverse."""

import asyncio
import functools
import gc
import random
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from datetime import timedelta

from aiokafka import AIOKafkaProducer
from prometheus_client import CollectorRegistry

from schemas.events.dashboard_links import DashboardKey
from schemas.events.deliveries import Channel
from schemas.events.form_links import LinkKey
from schemas.events.topics import DELIVERIES, VERDICTS, Topic
from services.notifier import background_loop, outbox
from services.notifier.background_loop import RECOVERABLE, BackgroundLoop
from services.notifier.channels.email import EmailChannel, SmtpServer
from services.notifier.channels.message_channel import MessageChannel
from services.notifier.channels.smpp_session import SmsCentre
from services.notifier.channels.sms_smpp import WINDOW, SmsChannel
from services.notifier.cited_documents import CitedDocuments
from services.notifier.consumer import VerdictConsumer
from services.notifier.contacts import store
from services.notifier.core.rendering.dashboard_links import DashboardLinks
from services.notifier.core.rendering.form_links import FormLinks
from services.notifier.core.rendering.render import RenderOptions
from services.notifier.core.scheduling.retry import RetryPolicy
from services.notifier.digest_scheduler import DigestScheduler, SchedulingStores
from services.notifier.dispatcher import Dispatcher, Sender, SendPolicy
from services.notifier.history.consumer import DeliveryHistory
from services.notifier.history.store import HistoryStore
from services.notifier.leases import Leases
from services.notifier.ledger import Ledger
from services.notifier.metrics import NotifierMetrics
from services.notifier.outbox import OutboxPublisher
from services.notifier.settings import NotifierSettings
from services.runtime import background, mongo
from services.runtime.clock import SystemClock, clock_from
from services.runtime.http.probes import NotReadyError
from services.runtime.kafka import clients
from services.runtime.kafka.batch_consumer import ConsumingBroker, Records, Subscription
from services.runtime.kafka.consumer_lag import LagMonitor
from services.runtime.kafka.dead_letters import DeadLetters
from services.runtime.kafka.observed_consumer import ObservedConsumer
from services.runtime.kafka.published_documents import PublishedDocuments
from services.runtime.kafka.topics import ensure_topics
from services.runtime.startup import Startup
from services.runtime.state.state_consumer import StateConsumer, StateSource
from services.runtime.state.state_consumption import StateConsumption

TICK_SECONDS = 0.05  # between looks for due alerts: well below the quarter second in which an alert should follow
RECOVERY_SECONDS = 1.0  # between looks for what dead processes left, and between readings of the backlog
MAX_BATCH_RECORDS = 2_000  # verdicts followed in one read and one write of the ledger
MAX_REQUEST_BYTES = 17 * 1024 * 1024  # what the dead letter topic accepts in one record


class NotifierComponents:
    """All components of one notifier process."""

    def __init__(self, settings: NotifierSettings, registry: CollectorRegistry, halt: Callable[[], None]) -> None:
        self._settings = settings
        self._metrics = NotifierMetrics(registry)
        self.clock = clock_from(settings.clock)
        self._leases = Leases(SystemClock(), timedelta(seconds=settings.lease_seconds))
        self.client = mongo.connect(settings.mongo_url)
        self.ledger = Ledger(
            self.client,
            settings.mongo_database,
            partitions=settings.partitions,
            hours=f"{settings.opens.isoformat()}-{settings.closes.isoformat()}",
        )
        self._history = HistoryStore(self.client, settings.mongo_database)
        self.references = PublishedDocuments(settings.kafka)
        self.references.export_metrics(registry)
        self._documents = CitedDocuments(self.references, opens=settings.opens, closes=settings.closes)
        self._contacts = store.open_contacts(self.client, settings)
        self._followed = asyncio.Event()
        self._recorded = asyncio.Event()
        self._consumer: VerdictConsumer | None = None
        self._consumers = {topic: self._create_consumer(topic, halt) for topic in (VERDICTS, DELIVERIES)}
        self.consumption = StateConsumption(
            [*self._consumers.values()], self.ledger.checkpoints, answers_without_broker=False
        )

    def subscribe(self, broker: ConsumingBroker) -> None:
        """Have *broker* consume the verdicts, and the notifier's own deliveries."""
        history = DeliveryHistory(store=self._history, is_complete=self._consumers[DELIVERIES].is_complete)
        self._consumers[VERDICTS].subscribe(broker, self._on_batch, recoverable=RECOVERABLE)
        self._consumers[DELIVERIES].subscribe(broker, history.on_batch, recoverable=RECOVERABLE)

    async def has_schedules(self) -> bool:
        """Whether rules has assessed anything yet, if there is a plan to assess; raise `NotReadyError` if not."""
        if self.references.plans() and not await self.ledger.has_schedules():
            raise NotReadyError("rules, to assess what is published")
        return True

    async def open(
        self, stack: AsyncExitStack, *, start: Startup, broker: ConsumingBroker, halt: Callable[[], None]
    ) -> None:
        """Open everything as soon as the servers are there, and put the closing of each thing on *stack*."""
        async with asyncio.TaskGroup() as group:
            group.create_task(start.wait_for("database", self.ledger.create_indexes))
            connecting = group.create_task(self._connect_bus(stack, start, halt))
        producer = connecting.result()
        # The published documents live as long as the process: the garbage collector need not walk them again.
        gc.freeze()
        channels = self._open_channels()
        for channel in channels.values():
            stack.push_async_callback(channel.close)
        loops = self._create_loops(producer, channels)
        for loop in loops:
            loop.start(halt)
        # At once: while a server is away, each of them waits some seconds for it before it hears of the stop.
        stack.push_async_callback(lambda: asyncio.gather(*(loop.stop() for loop in loops)))
        self._consumer = VerdictConsumer(
            ledger=self.ledger,
            documents=self._documents,
            dead_letters=DeadLetters(producer, self.clock),
            clock=self.clock,
            metrics=self._metrics,
            lookback=timedelta(days=self._settings.lookback_days),
            followed=self._followed,
        )
        stack.push_async_callback(broker.stop)
        self.consumption.start(halt)
        stack.push_async_callback(self.consumption.stop)
        await broker.start()

    async def _on_batch(self, records: Records, _consumer: ObservedConsumer) -> None:
        """Handle a batch of verdicts. The consumer starts after everything is open."""
        if self._consumer is None:
            raise RuntimeError("the components are not open")
        await self._consumer.on_batch(records)

    async def _connect_bus(self, stack: AsyncExitStack, start: Startup, halt: Callable[[], None]) -> AIOKafkaProducer:
        settings = self._settings
        create_topics = functools.partial(
            ensure_topics, settings.kafka, settings.partitions, settings.kafka_replication
        )
        await start.wait_for("broker", create_topics)
        lag = LagMonitor(
            settings.kafka,
            settings.group,
            {VERDICTS.name: settings.partitions},
            clock=self.clock,
            show=self._metrics.show_lag,
        )
        measuring = background.start(lag.run(), halt=halt, failure="measuring the lag has failed")
        stack.push_async_callback(background.cancel, measuring)
        stack.push_async_callback(self.references.stop)
        await start.wait_for("broker", self.references.start)
        start_producer = functools.partial(
            clients.start_producer, settings.kafka, DELIVERIES.name, max_request_size=MAX_REQUEST_BYTES
        )
        producer = await start.wait_for("broker", start_producer)
        stack.push_async_callback(clients.stop_producer, producer)
        # A verdict whose plan is not there would be set aside.
        await self.references.wait_until_complete()
        return producer

    def _create_consumer(self, topic: Topic, halt: Callable[[], None]) -> StateConsumer:
        settings = self._settings
        subscription = Subscription(
            topic=topic.name,
            group=settings.group,
            max_records=MAX_BATCH_RECORDS,
            session_timeout_ms=settings.session_timeout_ms,
        )
        # Before anything is sent the ledger must know what was sent, and what is not called for any more. A message
        # that another process was sending when the ledger was lost is sent, given up and published within a lease.
        source = StateSource(
            kafka=settings.kafka,
            subscription=subscription,
            must_reach_end=True,
            settle_seconds=settings.lease_seconds if topic is DELIVERIES else 0.0,
        )
        return StateConsumer(source, self.ledger.checkpoints, SystemClock(), metrics=self._metrics.state, halt=halt)

    def _create_loops(
        self, producer: AIOKafkaProducer, channels: Mapping[Channel, MessageChannel]
    ) -> tuple[BackgroundLoop, ...]:
        """Return the background loops, in the order of their start."""
        publisher = OutboxPublisher(self.ledger, producer, self.clock)
        stores = SchedulingStores(ledger=self.ledger, contacts=self._contacts, history=self._history)
        scheduler = DigestScheduler(
            stores, self._documents, clock=self.clock, leases=self._leases, metrics=self._metrics
        )
        dispatcher = Dispatcher(
            self.ledger, self._create_sender(channels), clock=self.clock, leases=self._leases, recorded=self._recorded
        )
        recover = background_loop.run_in_order(
            scheduler.replan,
            scheduler.retry_unreached,
            scheduler.finish_lost_batches,
            dispatcher.record_abandoned,
            functools.partial(outbox.show_backlog, self.ledger, self.clock, self._metrics),
        )
        send = background_loop.run_in_order(scheduler.schedule_due, dispatcher.dispatch_due)
        return (
            BackgroundLoop(publisher.publish_events, tick_seconds=TICK_SECONDS, wake=self._recorded),
            BackgroundLoop(recover, tick_seconds=RECOVERY_SECONDS),
            # A second dispatch loop: one chunk is sent while the other is recorded. On a deadline night both are busy.
            BackgroundLoop(dispatcher.dispatch_due, tick_seconds=RECOVERY_SECONDS),
            BackgroundLoop(send, tick_seconds=TICK_SECONDS, wake=self._followed),
        )

    def _create_sender(self, channels: Mapping[Channel, MessageChannel]) -> Sender:
        settings = self._settings
        policy = SendPolicy(
            retry=RetryPolicy(
                first_backoff=timedelta(seconds=settings.retry_first_seconds),
                max_backoff=timedelta(seconds=settings.retry_longest_seconds),
                max_attempts=settings.retry_attempts,
            ),
            jitter=random.SystemRandom().random,
            message_id_domain=settings.mail_from.rpartition("@")[2],
            rendering=RenderOptions(
                letters=settings.sms_letters,
                form_links=_create_form_links(settings),
                dashboard_links=_create_dashboard_links(settings),
            ),
            concurrency={Channel.EMAIL: settings.smtp_connections, Channel.SMS: WINDOW},
        )
        return Sender(policy, documents=self._documents, channels=channels, clock=self.clock, metrics=self._metrics)

    def _open_channels(self) -> Mapping[Channel, MessageChannel]:
        sms = SmsChannel(
            self._sms_centre(),
            lambda provider_id, failed: self.ledger.record_receipt(provider_id, failed, self.clock.now()),
        )
        sms.start()
        return {Channel.EMAIL: EmailChannel(self._smtp_server()), Channel.SMS: sms}

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


def _create_form_links(settings: NotifierSettings) -> FormLinks | None:
    if settings.form_key is None or settings.form_url is None:
        return None
    return FormLinks(
        key=LinkKey(settings.form_key.get_secret_value()),
        base_url=str(settings.form_url),
        lifetime=timedelta(days=settings.form_link_days),
    )


def _create_dashboard_links(settings: NotifierSettings) -> DashboardLinks | None:
    if settings.dashboard_key is None or settings.dashboard_url is None:
        return None
    return DashboardLinks(
        key=DashboardKey(settings.dashboard_key.get_secret_value()), base_url=str(settings.dashboard_url)
    )
