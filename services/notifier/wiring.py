"""Wiring: makes each component of the notifier from the settings, opens them in order and closes them in reverse."""

import asyncio
import functools
import gc
import random
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from datetime import date, timedelta

from aiokafka import AIOKafkaProducer
from prometheus_client import CollectorRegistry

from schemas.events.acknowledge_links import PATH, AcknowledgeLinkKey
from schemas.events.dashboard_links import DashboardKey
from schemas.events.deliveries import Channel
from schemas.events.form_links import LinkKey
from schemas.events.topics import DELIVERIES, VERDICTS, Topic
from services.notifier import background_loop, officer_file, outbox
from services.notifier.background_loop import RECOVERABLE, BackgroundLoop
from services.notifier.cited_documents import CitedDocuments
from services.notifier.consumer import VerdictConsumer
from services.notifier.contacts.store import ContactStore
from services.notifier.control.store import HoldStore
from services.notifier.core.dispatch.bounces import MailReport
from services.notifier.core.dispatch.receipts import DeliveryReceipt
from services.notifier.core.rendering.links import AcknowledgeLinks, DashboardLinks, FormLinks
from services.notifier.core.rendering.render import RenderOptions
from services.notifier.core.scheduling.retry import RetryPolicy
from services.notifier.digest_scheduler import DigestScheduler, SchedulingStores
from services.notifier.dispatch import configured_routes, dispatcher, route_file
from services.notifier.dispatch.attempts import DeliveryRoute, Sender, SendPolicy
from services.notifier.dispatch.configured_routes import RouteOpener
from services.notifier.dispatch.dispatcher import Dispatcher, DispatchStores
from services.notifier.dispatch.next_channel import NextChannelScheduler
from services.notifier.dispatch.receipt_store import ReceiptStore
from services.notifier.dispatch.store import DeliveryStore, RouteScope
from services.notifier.feedback.acknowledge_page import AcknowledgePage
from services.notifier.feedback.acknowledgement_store import Acknowledgement, AcknowledgementStore
from services.notifier.feedback.receipt_webhook import RECEIPTS_PATH, ReceiptWebhook
from services.notifier.feedback.return_mailbox import ImapAccount, ReturnMailbox
from services.notifier.history.consumer import DeliveryHistory
from services.notifier.history.letter_store import LetterHistoryStore
from services.notifier.history.store import HistoryStore
from services.notifier.ledger import Ledger
from services.notifier.metrics import NotifierMetrics
from services.notifier.officers.digest_scheduler import OfficerDigestScheduler
from services.notifier.officers.digest_store import OfficerDigestStore
from services.notifier.outbox import OutboxPublisher
from services.notifier.settings import NotifierSettings
from services.runtime import background, mongo
from services.runtime.clock import SystemClock, clock_from
from services.runtime.http.asgi import AsgiHandler
from services.runtime.http.probes import NotReadyError
from services.runtime.kafka import clients
from services.runtime.kafka.batch_consumer import ConsumingBroker, Subscription
from services.runtime.kafka.consumer_lag import LagMonitor
from services.runtime.kafka.dead_letters import DeadLetters
from services.runtime.kafka.published_documents import PublishedDocuments
from services.runtime.kafka.topics import ensure_topics
from services.runtime.observability.spans import SpanExporter
from services.runtime.startup import Startup
from services.runtime.state.state_consumer import StateConsumer, StateSource
from services.runtime.state.state_consumption import StateConsumption

TICK_SECONDS = 0.05  # between looks for due alerts: well below the quarter second in which an alert should follow
DISPATCH_SECONDS = 0.2  # between looks for retries that fall due; what was just created wakes the dispatchers
MAILBOX_SECONDS = 5.0  # between looks into the return mailbox: a bounce is to show within a minute
RECOVERY_SECONDS = 1.0  # between looks for what dead processes left, and between readings of the backlog
MAX_BATCH_RECORDS = 2_000  # verdicts followed in one read and one write of the ledger
MAX_REQUEST_BYTES = 17 * 1024 * 1024  # what the dead letter topic accepts in one record


class NotifierComponents:
    """All components of one notifier process."""

    def __init__(self, settings: NotifierSettings, registry: CollectorRegistry, halt: Callable[[], None]) -> None:
        self._settings = settings
        self._route_file = route_file.load_routes(settings)
        self._officers = officer_file.load_officers(settings.officers)
        self._metrics = NotifierMetrics(registry, [one.name for one in self._route_file.routes])
        self.clock = clock_from(settings.clock)
        self._lease = timedelta(seconds=settings.lease_seconds)
        self.client = mongo.connect(settings.mongo_url)
        self.ledger = Ledger(
            self.client,
            settings.mongo_database,
            partitions=settings.partitions,
            hours=f"{settings.opens.isoformat()}-{settings.closes.isoformat()}",
            vault=settings.vault,
        )
        self._texts_forgotten_on: date | None = None
        self._routes: Sequence[tuple[Channel, DeliveryRoute]] = ()
        self._history = HistoryStore(self.client, settings.mongo_database)
        self.references = PublishedDocuments(settings.kafka)
        self.references.export_metrics(registry)
        self._documents = CitedDocuments(self.references, opens=settings.opens, closes=settings.closes)
        self._stores = self._open_stores(settings)
        self._followed = asyncio.Event()
        self._recorded = asyncio.Event()
        self._consumer = VerdictConsumer(
            ledger=self.ledger,
            documents=self._documents,
            clock=self.clock,
            metrics=self._metrics,
            lookback=timedelta(days=settings.lookback_days),
            followed=self._followed,
        )
        self._consumers = {topic: self._create_consumer(topic, halt) for topic in (VERDICTS, DELIVERIES)}
        self.consumption = StateConsumption(
            [*self._consumers.values()], self.ledger.checkpoints, answers_without_broker=False
        )

    def _open_stores(self, settings: NotifierSettings) -> DispatchStores:
        client, name, vault = self.client, settings.mongo_database, settings.vault
        contacts, holds = ContactStore(client, name, vault, self._route_file.order), HoldStore(client, name)
        return DispatchStores(
            ledger=self.ledger,
            deliveries=DeliveryStore(client, name, vault=vault, is_complete=self.ledger.is_complete),
            receipts=ReceiptStore(client, name, contacts=contacts, vault=vault),
            contacts=contacts,
            holds=holds,
            letters=LetterHistoryStore(client, name),
            digests=OfficerDigestStore(client, name, contacts=contacts, holds=holds, documents=self._documents),
        )

    def subscribe(self, broker: ConsumingBroker) -> None:
        """Have *broker* consume the verdicts, and the notifier's own deliveries."""
        history = DeliveryHistory(store=self._history, is_complete=self._consumers[DELIVERIES].is_complete)
        self._consumers[VERDICTS].subscribe(broker, self._consumer.on_batch, recoverable=RECOVERABLE)
        self._consumers[DELIVERIES].subscribe(broker, history.on_batch, recoverable=RECOVERABLE)

    def export_spans(self, exporter: SpanExporter | None) -> None:
        """Export what becomes of an event with a trace as spans too, if there is an *exporter*."""
        self._metrics.received_to_sent.export_spans(exporter, "notifier: send")

    def receipt_routes(self) -> Sequence[tuple[str, AsgiHandler]]:
        """Return the route by which HTTP gateways report, if one of them does."""
        gateways = configured_routes.open_receipt_gateways(self._route_file.routes)
        return [(RECEIPTS_PATH, ReceiptWebhook(gateways, self._record_receipt))] if gateways else []

    def acknowledge_routes(self) -> Sequence[tuple[str, AsgiHandler]]:
        """Return the route at which agencies acknowledge letters, if there are links to it."""
        links = _create_acknowledge_links(self._settings)
        if links is None:
            return []
        return [(PATH, AcknowledgePage(links.key, self._record_acknowledgement, clock=self.clock))]

    async def _record_acknowledgement(self, said: Acknowledgement) -> bool:
        store = AcknowledgementStore(self.client, self._settings.mongo_database)
        is_known = await store.record(said, self.clock.now())
        self._recorded.set()
        return is_known

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
            group.create_task(start.wait_for("database", self._create_indexes))
            connecting = group.create_task(self._connect_bus(stack, start, halt))
        producer = connecting.result()
        # The published documents live as long as the process: the garbage collector need not walk them again.
        gc.freeze()
        opener = RouteOpener(settings=self._settings, metrics=self._metrics, on_receipt=self._record_receipt)
        self._routes = opener.open_all(self._route_file.routes)
        for _channel, route in self._routes:
            stack.push_async_callback(route.carrier.close)
        sender = self._create_sender()
        dispatchers = [self._create_dispatcher(route, channel, sender) for channel, route in self._routes]
        for one in dispatchers:
            stack.push_async_callback(one.drain)
        loops = (*self._create_loops(producer, dispatchers, sender), *self._create_mailbox_loops(stack))
        for loop in loops:
            loop.start(halt)
        # At once: while a server is away, each of them waits some seconds for it before it hears of the stop.
        stack.push_async_callback(lambda: asyncio.gather(*(loop.stop() for loop in loops)))
        self._consumer.dead_letters = DeadLetters(producer, self.clock)
        stack.push_async_callback(broker.stop)
        self.consumption.start(halt)
        stack.push_async_callback(self.consumption.stop)
        await broker.start()

    async def _create_indexes(self) -> None:
        for one in (self.ledger, self._stores.deliveries, self._stores.receipts, self._stores.letters):
            await one.create_indexes()

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
        self, producer: AIOKafkaProducer, dispatchers: Sequence[Dispatcher], sender: Sender
    ) -> tuple[BackgroundLoop, ...]:
        """Return the background loops, in the order of their start."""
        publisher = OutboxPublisher(self._stores.deliveries, producer, self.clock)
        stores = SchedulingStores(ledger=self.ledger, contacts=self._stores.contacts, holds=self._stores.holds)
        scheduler = DigestScheduler(stores, self._documents, clock=self.clock, lease=self._lease, metrics=self._metrics)
        scheduler.scheduled = [asyncio.Event() for _ in dispatchers]
        digests = OfficerDigestScheduler(
            self.ledger, self._stores.digests, self._officers, documents=self._documents, clock=self.clock
        )
        digests.scheduled = scheduler.scheduled
        bounced = NextChannelScheduler(self._stores, self._documents, self.clock, scheduler.scheduled)
        recover = background_loop.run_in_order(
            scheduler.replan,
            scheduler.retry_unreached,
            scheduler.finish_lost_batches,
            digests.schedule_digests,
            bounced.schedule_bounced,
            functools.partial(dispatcher.recover_lost, self._stores, sender, self._recorded.set),
            functools.partial(self._stores.receipts.apply_waiting, self.clock, self._lease),
            functools.partial(outbox.show_backlog, self.ledger, self.clock, self._metrics),
            self._show_gauges,
            self._forget_texts,
        )
        return (
            BackgroundLoop(publisher.publish_events, tick_seconds=TICK_SECONDS, wake=self._recorded),
            BackgroundLoop(recover, tick_seconds=RECOVERY_SECONDS),
            # One loop a route: a provider that does not answer holds up nobody else.
            *(
                BackgroundLoop(one.dispatch_due, tick_seconds=DISPATCH_SECONDS, wake=event)
                for one, event in zip(dispatchers, scheduler.scheduled, strict=True)
            ),
            BackgroundLoop(scheduler.schedule_due, tick_seconds=TICK_SECONDS, wake=self._followed),
        )

    def _create_mailbox_loops(self, stack: AsyncExitStack) -> tuple[BackgroundLoop, ...]:
        """Return the loop that reads the return mailbox, if there is one."""
        settings = self._settings
        if settings.imap_host is None or settings.return_path is None:
            return ()
        account = ImapAccount(
            host=settings.imap_host,
            port=settings.imap_port,
            security=settings.imap_security,
            ca_file=settings.imap_ca_file,
            user=settings.imap_user,
            password=settings.imap_password.get_secret_value(),
            folder=settings.imap_folder,
            timeout_seconds=settings.imap_timeout_seconds,
        )
        mailbox = ReturnMailbox(
            account,
            settings.return_path,
            on_report=self._record_report,
            on_state=self._metrics.mailbox_open.set,
        )
        stack.push_async_callback(mailbox.close)
        return (BackgroundLoop(mailbox.read_new, tick_seconds=MAILBOX_SECONDS),)

    def _create_dispatcher(self, route: DeliveryRoute, channel: Channel, sender: Sender) -> Dispatcher:
        names = [one.name for other, one in self._routes if other is channel]
        later = names[names.index(route.name) + 1 :]
        entry = next(one for one in self._route_file.routes if one.name == route.name)
        scope = RouteScope(
            channel=channel,
            name=route.name,
            is_first=route.name == names[0],
            others=tuple(name for name in names if name != route.name),
            next_name=later[0] if later else None,
            falls_back=entry.goes_elsewhere,
        )
        return Dispatcher(
            route=route,
            scope=scope,
            stores=self._stores,
            sender=sender,
            clock=self.clock,
            lease=self._lease,
            on_recorded=self._recorded.set,
        )

    async def _record_receipt(self, receipt: DeliveryReceipt) -> None:
        await self._stores.receipts.record(receipt, self.clock.now())
        self._recorded.set()

    async def _record_report(self, report: MailReport) -> None:
        if await self._stores.receipts.record_report(report, self.clock.now()):
            self._recorded.set()

    async def _forget_texts(self) -> None:
        """Remove the texts whose retention has ended, once a day."""
        now = self.clock.now()
        if self._texts_forgotten_on != now.date():
            await self._stores.letters.forget_texts(now - timedelta(days=self._settings.text_days))
            self._texts_forgotten_on = now.date()

    async def _show_gauges(self) -> None:
        for _channel, route in self._routes:
            self._metrics.route_open.labels(route.name).set(route.is_open)
            self._metrics.route_rate.labels(route.name).set(route.rate or 0)
        self._metrics.suspended.set(await self._stores.contacts.count_suspended())

    async def has_routes(self) -> bool:
        """Whether each channel has a route that takes messages: a readiness check."""
        open_channels = {
            channel.value
            for channel, _route in self._routes
            if all(route.is_open for other, route in self._routes if other is channel)
        }
        if open_channels:
            raise NotReadyError(f"a provider of {', '.join(sorted(open_channels))} that takes messages")
        return True

    def _create_sender(self) -> Sender:
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
                acknowledge_links=_create_acknowledge_links(settings),
                officers=self._officers,
                mail_domain=settings.mail_from.rpartition("@")[2],
            ),
        )
        return Sender(policy, documents=self._documents, clock=self.clock, metrics=self._metrics)


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


def _create_acknowledge_links(settings: NotifierSettings) -> AcknowledgeLinks | None:
    if settings.form_key is None or settings.acknowledge_url is None:
        return None
    return AcknowledgeLinks(
        key=AcknowledgeLinkKey(settings.form_key.get_secret_value()),
        base_url=str(settings.acknowledge_url),
        lifetime=timedelta(days=settings.form_link_days),
    )
