"""The servers of the local stack are real and lose nothing in a kill -9."""

import smtplib

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from deploy.local.servers.kafka import Kafka
from deploy.local.servers.message_servers import Smtp
from deploy.local.servers.mongod import Mongod
from schemas.events.topics import DUTIES, FACTS
from tests.support.servers.kafka import Bus
from tests.support.servers.mongo import Database


async def test_a_record_is_read_back_where_it_was_written(bus: Bus) -> None:
    """A record is read back with its key, value and place."""
    written = await bus.publish(FACTS.name, {"ẩn": 1}, key="h-dong-son")
    assert [written] == await bus.records(FACTS.name)
    assert written.json == {"ẩn": 1}


async def test_every_test_starts_with_empty_topics(bus: Bus) -> None:
    """No record of an earlier test is in the topics."""
    await bus.publish(DUTIES.name, {}, key="a")
    await bus.recreate_topics()
    assert await bus.records(FACTS.name) == []
    assert await bus.records(DUTIES.name) == []


@pytest.mark.chaos
async def test_the_broker_keeps_what_it_acknowledged_through_a_kill(bus: Bus, kafka: Kafka) -> None:
    """Kill -9 of the broker loses no acknowledged record."""
    written = await bus.publish(FACTS.name, b"kept", key="a")
    kafka.kill()
    kafka.start()
    assert [written] == await bus.records(FACTS.name)


def test_the_database_keeps_what_it_acknowledged_through_a_kill(database: Database, mongod: Mongod) -> None:
    """Kill -9 of mongod loses no journalled write."""
    database["kept"].insert_one({"_id": 1})
    mongod.kill()
    mongod.start()
    assert database.documents("kept") == [{"_id": 1}]


def test_a_planted_refusal_holds_for_its_times_and_no_longer(smtp: Smtp) -> None:
    """A recipient that is refused once is accepted the second time."""
    smtp.inject_faults({"a@example.vn": [{"rcpt": "452 4.2.2 Mailbox full"}]})
    with smtplib.SMTP("127.0.0.1", smtp.port) as client:
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            client.sendmail("b@example.vn", ["a@example.vn"], "Subject: x\r\n\r\n")
        client.sendmail("b@example.vn", ["a@example.vn"], "Subject: x\r\n\r\n")
    assert [mail["Delivered-To"] for mail in smtp.mails()] == ["a@example.vn"]


async def test_fresh_topics_forget_what_groups_had_committed(bus: Bus) -> None:
    """The offsets of a group are deleted with their topic."""
    written = await bus.publish(FACTS.name, b"x", key="a")
    part = TopicPartition(FACTS.name, written.partition)
    async with AIOKafkaConsumer(bootstrap_servers=bus.bootstrap, group_id="any", enable_auto_commit=False) as consumer:
        consumer.assign([part])
        await consumer.commit({part: 1})
    assert await bus.lag("any", FACTS.name) == 0
    await bus.recreate_topics()
    assert set((await bus.committed_offsets("any", FACTS.name)).values()) == {0}
