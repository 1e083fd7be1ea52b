"""A poison record goes to the dead letters with its reason, or nothing of its batch is committed."""

from typing import Any

from aiokafka import AIOKafkaProducer

from schemas.events.ids import partition_of
from schemas.events.topics import FACTS
from tests.support.builders import plans
from tests.support.faults import fault_plan
from tests.support.servers.rules import GROUP, RulesClient
from tests.support.servers.services import Launch

FIRST, SECOND, THIRD = plans.AGENCIES
POISON: list[tuple[Any, str]] = [
    (b"\xff\x00 no JSON", "unreadable: /"),
    (None, "unreadable: /: the record has no value"),
    (b'{"specversion":"1.0","id":"\xed\xa0\x80","source":"s","type":"t","data":{}}', "unreadable: "),
    (b'{"id":"x","source":"s","type":"t","data":' + b"[" * 100_000, "unreadable: "),
    ({"specversion": "1.0", "id": "x", "source": "s", "type": "no.such.v1", "data": {}}, "unreadable: /type"),
    (plans.a_submission("p-1", data={"plan": "P-9"}), "unreadable: /receivedtime"),
    (plans.a_submission("p-2", data={"plan": "P-9"}, receivedtime="2024-12-01T08:00:00Z"), "unknown: plan"),
    (plans.a_submission("p-3", data={"period": "2024-07"}, receivedtime="2024-12-01T08:00:00Z"), "unknown: period"),
    (
        plans.a_submission("p-4", data={"obligation": "o"}, receivedtime="2024-12-01T08:00:00Z"),
        "unknown: obligation",
    ),
    (plans.a_submission("p-5", data={"agency": "h-bon"}, receivedtime="2024-12-01T08:00:00Z"), "unknown: agency"),
]


async def test_poison_is_set_aside_byte_for_byte_and_the_next_fact_counts(rules: RulesClient, launch: Launch) -> None:
    """Every rejected record is in the dead letter topic byte for byte, with origin and reason, in log order."""
    launch("rules", ready=False)
    await rules.publish_usual_plan()
    written = [
        await rules.bus.publish(FACTS.name, value, key=FIRST, headers=[("trace", b"\xfe")]) for value, _ in POISON
    ]
    await rules.append_fact(plans.a_submission())
    await rules.wait_for_assessments(FIRST, times=2)
    found = await rules.bus.records(FACTS.dead_letter)
    assert [(one.key, one.value, one.partition) for one in found] == [
        (one.key, one.value, one.partition) for one in written
    ]
    for letter, record, (_, reason) in zip(found, written, POISON, strict=True):
        assert letter.headers["dondoc-reason"].decode().startswith(reason)
        assert letter.headers["dondoc-origin-offset"].decode() == str(record.offset)
        assert letter.headers["dondoc-origin-topic"].decode() == FACTS.name
        assert letter.headers["trace"] == b"\xfe"


async def test_a_record_from_beyond_the_calendar_is_set_aside(rules: RulesClient, launch: Launch) -> None:
    """A record whose timestamp is no date goes to the dead letters, and the next fact is processed."""
    launch("rules", ready=False)
    await rules.publish_usual_plan()
    async with AIOKafkaProducer(bootstrap_servers=rules.bus.bootstrap) as producer:
        await producer.send_and_wait(FACTS.name, b"{}", key=FIRST.encode(), timestamp_ms=2**60)
    await rules.append_fact(plans.a_submission())
    await rules.wait_for_assessments(FIRST, times=2)
    (letter,) = await rules.bus.records(FACTS.dead_letter)
    assert b"outside the calendar" in letter.headers["dondoc-reason"]


async def test_a_fact_that_breaks_its_assessment_is_set_aside_without_a_trace(
    rules: RulesClient, launch: Launch
) -> None:
    """A record on which the assessment fails goes to the dead letters, and the next is assessed as if alone."""
    healthy = launch("rules", ready=False)
    await rules.publish_usual_plan()
    healthy.stop()
    launch("rules", faults=[fault_plan.raise_before("services.rules.assessment_event", "encode_discharge")])
    await rules.append_fact(plans.a_submission("s-1"))
    await rules.append_fact(plans.a_submission("s-2"))
    _, assessed = await rules.wait_for_assessments(FIRST, times=2)
    (letter,) = await rules.bus.records(FACTS.dead_letter)
    assert letter.headers["dondoc-reason"].startswith(b"unexpected: OSError")
    assert assessed.timeline[-1].evidence == ("s-2",)


async def test_a_fact_in_the_wrong_partition_is_set_aside(rules: RulesClient, launch: Launch) -> None:
    """A fact in the partition of another agency goes to the dead letters, so that no agency has two owners."""
    launch("rules", ready=False)
    await rules.publish_usual_plan()
    elsewhere = (partition_of(FIRST, rules.bus.partitions) + 1) % rules.bus.partitions
    stray = plans.a_submission(receivedtime="2024-12-01T08:00:00Z")
    await rules.bus.publish(FACTS.name, stray, key=FIRST, partition=elsewhere)
    await rules.wait_until_consumed()
    (letter,) = await rules.bus.records(FACTS.dead_letter)
    assert letter.headers["dondoc-reason"].decode().startswith(f"misrouted: '{FIRST}' is at home in partition")
    assert len(await rules.assessments_of(FIRST)) == 1


async def test_an_unwritable_dead_letter_stops_its_partition_and_no_other(rules: RulesClient, launch: Launch) -> None:
    """A batch is not committed until its dead letter can be written, and the other partitions go on meanwhile."""
    launch("rules", ready=False)
    await rules.publish_usual_plan()
    here = partition_of(FIRST, rules.bus.partitions)
    other = next(one for one in plans.AGENCIES if partition_of(one, rules.bus.partitions) != here)
    async with rules.bus.refuse_records(FACTS.dead_letter):
        poison = await rules.bus.publish(FACTS.name, b"poison " * 40, key=FIRST)
        await rules.append_fact(plans.a_submission())
        await rules.append_fact(plans.a_submission("o-1", data={"agency": other}))
        await rules.wait_for_assessments(other, times=2)
        assert (await rules.bus.committed_offsets(GROUP, FACTS.name))[here] <= poison.offset
        assert len(await rules.assessments_of(FIRST)) == 1
    await rules.wait_for_assessments(FIRST, times=2)
    assert len(await rules.bus.records(FACTS.dead_letter)) == 1


async def test_a_report_of_a_mebibyte_is_assessed(rules: RulesClient, launch: Launch) -> None:
    """The largest report that intake accepts is assessed and fits into its state record."""
    launch("rules", ready=False)
    await rules.publish_usual_plan()
    text = "Kết quả " * 90_000
    report = plans.a_submission(data={"content": {"nil_return": False, "sections": {"results": text}}})
    await rules.append_fact(report)
    await rules.wait_for_assessments(FIRST, times=2)
    await rules.wait_until_consumed()
