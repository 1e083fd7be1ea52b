"""Rules killed, frozen or cut off anywhere: every accepted fact counts once, every verdict is said once."""

from pathlib import Path

import pytest

from deploy.local.servers.kafka import Kafka
from schemas.events.assessments import Status
from tests.support.assertions.eventually import eventually
from tests.support.builders import plans
from tests.support.faults import fault_plan
from tests.support.servers.rules import QUICK_SESSION, Rules, status_at
from tests.support.servers.services import Launch, Service

FIRST = plans.AGENCIES[0]
AFTER_DUE = "2024-12-10T00:00:00+07:00"
PRODUCER = "aiokafka.producer.producer"
MOMENTS = {
    "before the verdicts": fault_plan.kill_before(PRODUCER, "AIOKafkaProducer.send_batch", call=1),
    "between verdicts and states": fault_plan.kill_before(PRODUCER, "AIOKafkaProducer.send_batch", call=2),
    "before the offsets": fault_plan.kill_before(PRODUCER, "AIOKafkaProducer.send_offsets_to_transaction"),
    "between offsets and commit": fault_plan.kill_before(PRODUCER, "AIOKafkaProducer.commit_transaction"),
    "after the commit": fault_plan.kill_after(PRODUCER, "AIOKafkaProducer.commit_transaction"),
}


@pytest.mark.parametrize("moment", MOMENTS)
async def test_killed_between_two_writes_it_says_everything_once(rules: Rules, launch: Launch, moment: str) -> None:
    """The next owner says exactly what the killed one had not committed."""
    healthy = launch("rules", ready=False, **QUICK_SESSION)
    await rules.adopted()
    healthy.stop()
    doomed = launch("rules", ready=False, faults=[MOMENTS[moment]], **QUICK_SESSION)
    await rules.accept(plans.a_submission())
    await doomed.ended()
    launch("rules", ready=False, **QUICK_SESSION)
    _, said = await rules.told(FIRST, times=2)
    await rules.settled()
    assert status_at(said, AFTER_DUE) is Status.ON_TIME
    assert (len(await rules.of(FIRST)), await rules.repeated()) == (2, [])


async def test_a_frozen_owner_is_fenced_and_says_nothing_twice(rules: Rules, launch: Launch) -> None:
    """Stopped in the middle of a transaction and woken after another took over, it commits nothing and serves on."""
    healthy = launch("rules", ready=False, **QUICK_SESSION)
    await rules.adopted()
    healthy.stop()
    freeze = fault_plan.stop_before(PRODUCER, "AIOKafkaProducer.commit_transaction")
    zombie = launch("rules", ready=False, faults=[freeze], **QUICK_SESSION)
    await rules.accept(plans.a_submission())
    await _frozen(zombie)
    successor = launch("rules", ready=False, **QUICK_SESSION)
    await rules.told(FIRST, times=2)
    zombie.resume()
    await _says(zombie, "fenced")
    successor.kill()
    await rules.accept(plans.a_withdrawal("w-1", "s-1", receivedtime="2024-12-05T08:00:00+07:00"))
    _, _, said = await rules.told(FIRST, times=3)
    assert status_at(said, AFTER_DUE) is Status.OVERDUE
    assert (len(await rules.of(FIRST)), await rules.repeated()) == (3, [])


async def test_a_broker_killed_under_load_loses_and_doubles_nothing(rules: Rules, launch: Launch, kafka: Kafka) -> None:
    """Rules waits for the broker to come back and goes on, in the same process."""
    service = launch("rules", ready=False, **QUICK_SESSION)
    await rules.adopted()
    for number in range(30):
        await rules.accept(plans.a_submission(f"s-{number}"))
    kafka.kill()
    kafka.start()
    await rules.accept(plans.a_submission("s-last"))
    said = (await rules.told(FIRST, times=32))[-1]
    await rules.settled()
    assert said.timeline[-1].submissions == 31
    assert (len(await rules.of(FIRST)), await rules.repeated()) == (32, [])
    assert service.is_running


async def _frozen(service: Service) -> None:
    """Wait until the process has stopped itself."""
    stat = Path(f"/proc/{service.pid}/stat")
    await eventually(lambda: stat.read_text(encoding="ascii").rpartition(")")[2].split()[0] == "T", "a frozen process")


async def _says(service: Service, action: str) -> None:
    """Wait until the service has logged *action*."""
    await eventually(lambda: any(line.get("action") == action for line in service.logged()), f"{action} in the log")
