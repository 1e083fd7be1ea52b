"""Rules is killed, frozen or cut off: every accepted fact counts once, and every assessment is written once."""

from pathlib import Path

import pytest

from deploy.local.servers.kafka import Kafka
from schemas.events.assessments import Status
from tests.support.assertions.eventually import eventually
from tests.support.builders import plans
from tests.support.faults import fault_plan
from tests.support.matrix import matrix
from tests.support.servers.rules import QUICK_SESSION, RulesClient, status_at
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


@pytest.mark.parametrize("moment", matrix(list(MOMENTS), in_every_run=2))
async def test_killed_between_two_writes_it_writes_every_assessment_once(
    rules: RulesClient, launch: Launch, moment: str
) -> None:
    """The next owner writes exactly the assessments that the killed one had not committed."""
    healthy = launch("rules", ready=False, **QUICK_SESSION)
    await rules.publish_usual_plan()
    healthy.stop()
    doomed = launch("rules", ready=False, faults=[MOMENTS[moment]], **QUICK_SESSION)
    await rules.append_fact(plans.a_submission())
    await doomed.wait_until_ended()
    launch("rules", ready=False, **QUICK_SESSION)
    _, assessed = await rules.wait_for_assessments(FIRST, times=2)
    await rules.wait_until_consumed()
    assert status_at(assessed, AFTER_DUE) is Status.ON_TIME
    assert (len(await rules.assessments_of(FIRST)), await rules.find_repeated()) == (2, [])


async def test_a_frozen_owner_is_fenced_and_writes_nothing_twice(rules: RulesClient, launch: Launch) -> None:
    """An owner that resumes its transaction after another took over commits nothing, and goes on serving."""
    healthy = launch("rules", ready=False, **QUICK_SESSION)
    await rules.publish_usual_plan()
    healthy.stop()
    freeze = fault_plan.stop_before(PRODUCER, "AIOKafkaProducer.commit_transaction")
    zombie = launch("rules", ready=False, faults=[freeze], **QUICK_SESSION)
    await rules.append_fact(plans.a_submission())
    await _wait_until_frozen(zombie)
    successor = launch("rules", ready=False, **QUICK_SESSION)
    await rules.wait_for_assessments(FIRST, times=2)
    zombie.resume()
    await _wait_until_logged(zombie, "fenced")
    successor.kill()
    await rules.append_fact(plans.a_withdrawal("w-1", "s-1", receivedtime="2024-12-05T08:00:00+07:00"))
    _, _, assessed = await rules.wait_for_assessments(FIRST, times=3)
    assert status_at(assessed, AFTER_DUE) is Status.OVERDUE
    assert (len(await rules.assessments_of(FIRST)), await rules.find_repeated()) == (3, [])


@pytest.mark.chaos
async def test_a_broker_killed_under_load_loses_and_doubles_nothing(
    rules: RulesClient, launch: Launch, kafka: Kafka
) -> None:
    """The same process waits until the killed broker is back, and then counts every report once."""
    service = launch("rules", ready=False, **QUICK_SESSION)
    await rules.publish_usual_plan()
    for number in range(30):
        await rules.append_fact(plans.a_submission(f"s-{number}"))
    kafka.kill()
    kafka.start()
    await rules.append_fact(plans.a_submission("s-last"))
    assessed = (await rules.wait_for_assessments(FIRST, times=32))[-1]
    await rules.wait_until_consumed()
    assert assessed.timeline[-1].submissions == 31
    assert (len(await rules.assessments_of(FIRST)), await rules.find_repeated()) == (32, [])
    assert service.is_running


async def _wait_until_frozen(service: Service) -> None:
    """Wait until the process has stopped itself."""
    stat = Path(f"/proc/{service.pid}/stat")
    await eventually(lambda: stat.read_text(encoding="ascii").rpartition(")")[2].split()[0] == "T", "a frozen process")


async def _wait_until_logged(service: Service, action: str) -> None:
    """Wait until the service has logged *action*."""
    await eventually(lambda: any(line.get("action") == action for line in service.log_lines()), f"{action} in the log")
