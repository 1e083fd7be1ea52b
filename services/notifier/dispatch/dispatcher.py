"""Dispatch the due deliveries of one route: claim, begin, send, record, so that no crash makes a second message unseen.

Only what is about to go on the wire is begun, a window at most. An attempt that was begun and whose outcome is not
known (its process died, or the connection broke after the message was handed over) is recorded as `unknown`. A mail is
then sent again with the same Message-ID, an SMS is not. The record shows both attempts.
"""

import asyncio
import secrets
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from schemas.events.deliveries import AttemptOutcome
from services.notifier.channels.message_channel import SendResult
from services.notifier.contacts.store import ContactStore, DeadAddress
from services.notifier.control.store import HoldStore
from services.notifier.core.scheduling import letter_history, schedule
from services.notifier.core.scheduling.delivery_events import DeliveryAttempt
from services.notifier.core.scheduling.holds import SendingHolds
from services.notifier.core.scheduling.letter_history import NO_HISTORY, TELLS_OF_PAST, LetterHistory
from services.notifier.core.scheduling.officer_digest import OfficerDigest
from services.notifier.core.scheduling.routing import Delivery, OfficerWeek
from services.notifier.core.scheduling.schedule import NO_STEPS, DutySteps
from services.notifier.core.scheduling.scheduled_alert import DutyAlert
from services.notifier.dispatch.attempts import DeliveryRoute, EndedSend, PostponedDelivery, PreparedDelivery, Sender
from services.notifier.dispatch.receipt_store import ReceiptStore
from services.notifier.dispatch.store import ClaimLease, DeliveryStore, RouteScope
from services.notifier.errors import LedgerUnavailableError
from services.notifier.history.letter_store import LetterHistoryStore
from services.notifier.ledger import Ledger
from services.notifier.officers.digest_store import OfficerDigestStore
from services.runtime.clock import Clock

CLAIM_SIZE = 256  # deliveries claimed at once: more than the window, so that the next ones are at hand
_CLAIM_BYTES = 12  # of randomness in the name of a claim, which no other process may hit upon
WAIT_SECONDS = 0.05  # for an answer, before the window is filled up again
GATHER_SECONDS = 0.005  # for further answers, so that several are recorded, and as many attempts begun, in one write
DRAIN_SECONDS = 15.0  # at the stop of the service, for the answers to what is on the wire
DOMAIN_PAUSE = timedelta(seconds=15)  # before a recipient whose domain takes no more is looked at again


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchStores:
    """What a dispatcher reads and writes."""

    ledger: Ledger
    deliveries: DeliveryStore
    receipts: ReceiptStore
    contacts: ContactStore
    holds: HoldStore
    letters: LetterHistoryStore
    digests: OfficerDigestStore


@dataclass(slots=True, kw_only=True)
class ClaimedDeliveries:
    """Deliveries that are claimed and not begun, under the holds of *holds*, good until `good_until` (loop time).

    `history` is what their letters tell of the past, `digests` what officers are told.
    """

    waiting: deque[Delivery] = field(default_factory=deque)
    holds: SendingHolds = field(default_factory=SendingHolds)
    good_until: float = 0.0
    history: LetterHistory = NO_HISTORY
    digests: Mapping[OfficerWeek, OfficerDigest] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class BegunWindow:
    """How things stood when a window was begun: the loop's time, how often the route had slowed down, what was held."""

    begun_at: float
    epoch: int
    holds: SendingHolds


@dataclass(slots=True, kw_only=True)
class Dispatcher:
    """Keeps the window of one route full, and records how each attempt ended.

    It calls *on_recorded* when there may be new events to publish. `holds` is what is held back, as of this turn.
    """

    route: DeliveryRoute
    scope: RouteScope
    stores: DispatchStores
    sender: Sender
    clock: Clock
    lease: timedelta
    on_recorded: Callable[[], None]
    claimed: ClaimedDeliveries = field(default_factory=ClaimedDeliveries)
    in_flight: set["asyncio.Task[EndedSend | Delivery]"] = field(default_factory=set)
    unsent: list[Delivery] = field(default_factory=list)
    holds: SendingHolds = field(default_factory=SendingHolds)

    async def dispatch_due(self) -> bool:
        """Record what has ended, fill up the window, and wait a moment for an answer; return whether any is due."""
        # Side by side, since the database takes a millisecond for each. What has ended is part of the window until it
        # is recorded, so no more than a window is ever begun and not recorded.
        recording = asyncio.create_task(self._record_ended())
        try:
            await self._fill_window()
        finally:
            await recording
        if self.in_flight:
            await asyncio.wait(self.in_flight, timeout=WAIT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.sleep(GATHER_SECONDS)
        return bool(self.in_flight)

    async def _fill_window(self) -> None:
        now = self.clock.now()
        self.holds = await self.stores.holds.load(now)
        free = 0 if self.holds.covers_route(self.route.name) else self.route.count_free(now, len(self.in_flight))
        await self._claim_next(now, free)
        if free and self.claimed.waiting:
            await self._begin_next(now, free)

    async def drain(self) -> None:
        """Wait for the answers to what is on the wire, record them, and free what is only claimed."""
        if self.in_flight:
            await asyncio.wait(self.in_flight, timeout=DRAIN_SECONDS)
        await self._record_ended()
        for task in self.in_flight:
            task.cancel()  # it stays begun, and its outcome is unknown when the lease ends
        await self._release_claimed()

    async def _claim_next(self, now: datetime, free: int) -> None:
        """Have deliveries at hand for *free* attempts; give back those that waited for too long, or are now held."""
        loop_now = asyncio.get_running_loop().time()
        claimed, holds = self.claimed, self.holds
        if claimed.waiting and (loop_now > claimed.good_until or holds != claimed.holds or self.route.is_open):
            await self._release_claimed()
        if not free or claimed.waiting:
            return
        is_bounded = self.route.is_open or self.route.is_bounded
        name = secrets.token_hex(_CLAIM_BYTES)
        lease = ClaimLease(
            name=name,
            duration=self.lease,
            limit=free if is_bounded else CLAIM_SIZE,
            only_bound=not self.route.is_preferred,
        )
        # Half of a lease: what is begun gets a lease of its own, and whoever is late finds the claim gone.
        claimed.good_until, claimed.holds = loop_now + lease.duration.total_seconds() / 2, holds
        found = await self.stores.deliveries.claim(self.scope, holds, now, lease)
        if not found:
            return
        called_for, cancelled = await self._drop_uncalled_alerts(found, now)
        await self._record(cancelled, now)
        claimed.waiting.extend(called_for)

    async def _begin_next(self, now: datetime, free: int) -> None:
        """Begin up to *free* attempts in one write, and put them on the wire."""
        waiting = self.claimed.waiting
        chosen = [waiting.popleft() for _ in range(min(free, len(waiting)))]
        prepared: list[PreparedDelivery] = []
        postponed: list[PostponedDelivery] = []
        for delivery in chosen:
            match self._prepare(delivery, now):
                case PreparedDelivery() as one:
                    prepared.append(one)
                case PostponedDelivery() as one:
                    postponed.append(one)
        paused = self.route.find_paused([one.delivery.address for one in prepared], now)
        later = now + DOMAIN_PAUSE
        postponed += [PostponedDelivery(delivery=prepared[at].delivery, due_at=later) for at in sorted(paused)]
        await self.stores.deliveries.release([(one.delivery, one.due_at) for one in postponed])
        ready = {one.delivery.id: one for at, one in enumerate(prepared) if at not in paused}
        # Before the write: its own time counts as part of the lease.
        window = BegunWindow(begun_at=asyncio.get_running_loop().time(), epoch=self.route.epoch, holds=self.holds)
        for delivery in await self._begin([one.delivery for one in ready.values()]):
            begun = replace(ready[delivery.id], delivery=delivery)
            self.in_flight.add(asyncio.create_task(self._attempt(begun, window)))

    def _prepare(self, delivery: Delivery, now: datetime) -> PreparedDelivery | PostponedDelivery:
        if delivery.officer_week is not None:
            return self.sender.prepare_digest(delivery, self.claimed.digests[delivery.officer_week], now)
        return self.sender.prepare(delivery, self.claimed.history, now)

    async def _begin(self, deliveries: Sequence[Delivery]) -> Sequence[Delivery]:
        if not deliveries:
            return ()
        try:
            return await self.stores.deliveries.begin(deliveries, self.route.name, self.lease)
        except LedgerUnavailableError:
            # Perhaps they are begun in the database. Nothing was sent, so they are given back when it answers again.
            self.unsent += [replace(one, attempt=one.attempt + 1) for one in deliveries]
            raise

    async def _attempt(self, prepared: PreparedDelivery, window: BegunWindow) -> EndedSend | Delivery:
        """Send a message that was begun; return the delivery instead if it was not handed over after all."""
        route = self.route
        async with route.slots:
            # Past the end of the lease another process records this attempt as unknown and may make the next one. So
            # a send starts only while half of the lease is left, and is given up at its end.
            left = window.begun_at + self.lease.total_seconds() - asyncio.get_running_loop().time()
            is_late = left < self.lease.total_seconds() / 2
            # What waits behind others for a slow server is not sent after a stop, nor to a route that became slower.
            if is_late or window.epoch != route.epoch or window.holds != self.holds:
                return prepared.delivery
            ended = await self.sender.send(prepared, route.carrier, route=route.name, seconds=left)
        route.learn(prepared.delivery.address, ended.result, ended.attempt.at)
        return self._bind(ended)

    def _bind(self, ended: EndedSend) -> EndedSend:
        """Say by which route the next attempt is made, where this one cannot reach the recipient."""
        refusal, scope = ended.result.refusal, self.scope
        if refusal is not None and refusal.goes_elsewhere:
            return replace(ended, attempt=replace(ended.attempt, bound_to=scope.next_name, next_at=ended.attempt.at))
        if scope.falls_back and ended.attempt.outcome is AttemptOutcome.ACCEPTED:
            return replace(ended, attempt=replace(ended.attempt, falls_back_to=scope.next_name))
        return ended

    async def _record_ended(self) -> None:
        """Record the attempts that have ended. What cannot be written yet is written in the next turn."""
        now = self.clock.now()
        done = [task for task in self.in_flight if task.done()]
        results = [task.result() for task in done]
        sent = [one for one in results if isinstance(one, EndedSend)]
        ended = [one.attempt for one in sent]
        await self._suspend_addresses(ended, now)
        begun_in_vain = len(self.unsent)
        unsent = [*self.unsent, *(one for one in results if isinstance(one, Delivery))]
        await self._record(ended, now)
        await self.stores.deliveries.take_back(unsent, now)
        self.in_flight.difference_update(done)
        del self.unsent[:begun_in_vain]

    async def _suspend_addresses(self, ended: Sequence[DeliveryAttempt], now: datetime) -> None:
        """Suspend the addresses that nobody has; whoever dies before the outcome is recorded is refused again."""
        dead = [
            DeadAddress(channel=one.delivery.channel, address=one.delivery.address, reason=one.reason or "")
            for one in ended
            if one.is_hard
        ]
        await self.stores.contacts.suspend(dead, now)

    async def _record(self, attempts: Sequence[DeliveryAttempt], now: datetime) -> None:
        if not attempts:
            return
        await self.stores.deliveries.record(attempts)
        await self.stores.receipts.apply([name for one in attempts for name in one.provider_ids], now)
        self.on_recorded()

    async def _release_claimed(self) -> None:
        waiting = self.claimed.waiting
        await self.stores.deliveries.release([(one, None) for one in waiting])
        waiting.clear()

    async def _drop_uncalled_alerts(
        self, claimed: Sequence[Delivery], now: datetime
    ) -> tuple[list[Delivery], list[DeliveryAttempt]]:
        """Return the deliveries with only those alerts that are still called for, and those cancelled as a whole."""
        # Between the creation of a delivery and a retry hours later the report may have come in.
        duties = {str(one.duty) for delivery in claimed for one in delivery.alerts}
        steps = await self.stores.ledger.find_steps(sorted(duties)) if duties else {}
        history = await self._load_history([one for delivery in claimed for one in delivery.alerts], steps, now)
        self.claimed.history = history
        self.claimed.digests = await self._load_digests(claimed, now)
        called_for, cancelled = [], []
        for delivery in claimed:
            kept = self._keep_called_for(delivery, steps, now)
            if isinstance(kept, Delivery):
                called_for.append(kept)
            else:
                result = SendResult(outcome=AttemptOutcome.CANCELLED, reason=kept)
                cancelled.append(self.sender.finish(delivery, result, route=None))
        return await self._readdress(called_for, now), cancelled

    async def _readdress(self, claimed: Sequence[Delivery], now: datetime) -> list[Delivery]:
        """Return *claimed*, to who is a contact now where the former contact surely got nothing."""
        book = await self.stores.contacts.load_book()
        found = []
        for delivery in claimed:
            contact = None
            if delivery.alerts and not delivery.may_have_arrived:
                day = self.sender.find_local_date(delivery, now)
                if day is not None:
                    contact = book.find_instead(
                        delivery.to_agency, day, channel=delivery.channel, address=delivery.address
                    )
            found.append(
                delivery if contact is None else await self.stores.deliveries.readdress(delivery, contact, now)
            )
        return found

    def _keep_called_for(self, delivery: Delivery, steps: Mapping[str, DutySteps], now: datetime) -> Delivery | str:
        """Return *delivery* with what is still called for of it, or the code for which nothing of it is sent."""
        if not delivery.address:
            return "contact_removed"
        if delivery.officer_week is not None:
            return delivery if delivery.officer_week in self.claimed.digests else "not_called_for"
        holding = [
            one
            for one in delivery.alerts
            if schedule.is_called_for(one.alert, steps.get(str(one.duty), NO_STEPS).active, now)
        ]
        alerts = tuple(one for one in holding if not self.sender.is_quieted(one, self.claimed.history, now))
        if alerts:
            return delivery if alerts == delivery.alerts else replace(delivery, alerts=alerts)
        return "day_named" if holding else "not_called_for"

    async def _load_digests(self, claimed: Sequence[Delivery], now: datetime) -> Mapping[OfficerWeek, OfficerDigest]:
        """Return the officers' digests among *claimed* that are still to go out."""
        weeks = {one.officer_week for one in claimed if one.officer_week is not None}
        asked = [one for one in weeks if self.sender.has_officer(one.plan)]
        loaded = {one: await self.stores.digests.load(one, now) for one in asked}
        return {week: digest for week, digest in loaded.items() if digest is not None}

    async def _load_history(
        self, alerts: Sequence[DutyAlert], steps: Mapping[str, DutySteps], now: datetime
    ) -> LetterHistory:
        """Return what the letters about *alerts* tell of the past; most tell only whether a reminder is the first."""
        reminded = letter_history.find_reminded(alerts, steps)
        asked = [one for one in alerts if one.alert.kind in TELLS_OF_PAST]
        if not asked:
            return LetterHistory(duties=reminded, counts={})
        past = await self.stores.letters.load(asked, now)
        return LetterHistory(duties={**reminded, **past.duties}, counts=past.counts)


async def recover_lost(stores: DispatchStores, sender: Sender, on_recorded: Callable[[], None]) -> None:
    """Free what dead processes had only claimed, and record as unknown what they had begun."""
    await stores.deliveries.free_lost_claims()
    abandoned = await stores.deliveries.find_abandoned()
    if abandoned:
        result = SendResult(outcome=AttemptOutcome.UNKNOWN, reason="process_died")
        attempts = [sender.finish(one, result, route=one.route) for one in abandoned]
        await stores.deliveries.record(attempts)
        on_recorded()
