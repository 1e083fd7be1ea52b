"""A service that lacks a right on the broker says which, in its log and on `/readyz`, and goes on when it has it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest

from deploy.kafka import acls
from deploy.kafka.acls import BusUser, Operation
from deploy.local.servers.mongod import Mongod
from schemas.events.topics import DELIVERIES, DUTIES, FACTS, REFERENCES, VERDICTS
from tests.support.assertions.eventually import eventually
from tests.support.builders.plans import a_submission
from tests.support.matrix import matrix
from tests.support.servers.authorized_kafka import SPARE_USERS, AuthorizedKafka
from tests.support.servers.intake import IntakeFiles, encode_event, open_client, publish_plan
from tests.support.servers.kafka import PARTITIONS, Bus
from tests.support.servers.services import Launcher, Service

# The service, its user, and the right that is taken away: on which resource, to do what.
DENIALS = [
    ("rules", acls.RULES, VERDICTS.name, Operation.WRITE),
    ("intake", acls.INTAKE, FACTS.name, Operation.WRITE),
    ("notifier", acls.NOTIFIER, "dondoc.notifier", Operation.READ),
    ("rules", acls.RULES, FACTS.name, Operation.READ),
    ("rules", acls.RULES, DUTIES.name, Operation.READ),
    ("rules", acls.RULES, "dondoc-rules", Operation.READ),
    ("rules", acls.RULES, "dondoc-rules-", Operation.WRITE),
    ("intake", acls.INTAKE, REFERENCES.name, Operation.READ),
    ("notifier", acls.NOTIFIER, VERDICTS.name, Operation.READ),
    ("reporting", acls.REPORTING, DELIVERIES.name, Operation.READ),
]
IN_EVERY_RUN = 3
Launch = Callable[..., Service]


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory, jars: Path) -> Iterator[AuthorizedKafka]:
    """The broker with its authorizer."""
    made = AuthorizedKafka(tmp_path_factory.mktemp("authorized"), jars=jars)
    made.start()
    yield made
    made.kill()


@pytest.fixture
def launch_as(broker: AuthorizedKafka, mongod: Mongod, tmp_path: Path, template: Path) -> Iterator[Launch]:
    """Start a service that is a user of the broker."""
    settings = {"DONDOC_PARTITIONS": str(PARTITIONS), "DONDOC_MONGO_URL": mongod.url, "DONDOC_MONGO_DATABASE": "denied"}
    launcher = Launcher(tmp_path, settings, template=template)
    yield lambda name, user, **more: launcher(name, ready=False, **{**broker.environment(user), **more})
    launcher.end()


@pytest.mark.parametrize(
    ("number", "denial"),
    matrix(list(enumerate(DENIALS)), in_every_run=IN_EVERY_RUN),
    ids=[f"{one[0]}-{one[3]}-{one[2]}" for one in DENIALS],
)
async def test_a_service_says_which_right_it_lacks(
    broker: AuthorizedKafka,
    launch_as: Launch,
    tmp_path: Path,
    number: int,
    denial: tuple[str, BusUser, str, Operation],
) -> None:
    """Log and `/readyz` name the topic, group or transactional id and what may be done on it; then it works."""
    name, user, resource, operation = denial
    lacking = without(user, resource, operation, name=SPARE_USERS[number])
    inside = Bus(broker.bootstrap)
    await inside.recreate_topics()
    await broker.grant(lacking)
    await publish_plan(inside)
    if resource == DUTIES.name:  # rules reads its state only where there is any
        for partition in range(PARTITIONS):
            await inside.publish(DUTIES.name, None, key="any", partition=partition)
    files = IntakeFiles(folder=tmp_path)
    bearer = files.add_key()
    service = launch_as(name, lacking, **files.environment)
    await service_answers(service)
    if resource == FACTS.name and operation is Operation.WRITE:
        await _send_report(service, bearer)

    def is_told() -> bool:
        answer = httpx.get(f"{service.url}/readyz")
        return answer.status_code == 503 and all(word in answer.text for word in (resource, operation))

    try:
        await eventually(is_told, f"{operation} on {resource} on /readyz", timeout=30)
    except BaseException:
        print(httpx.get(f"{service.url}/readyz").text)
        print("\n".join(str(line)[:600] for line in service.log_lines()[-12:]))
        raise
    assert any(resource in str(line) and operation in str(line) for line in service.log_lines())
    await broker.grant(replace(user, name=lacking.name))
    await eventually(service.is_ready, "the service ready", timeout=60)


async def service_answers(service: Service) -> None:
    """Wait until the port answers."""

    def answers() -> bool:
        try:
            return httpx.get(f"{service.url}/livez").status_code == 200
        except httpx.TransportError:
            return False

    await eventually(answers, "the port open")


def without(user: BusUser, resource: str, operation: Operation, *, name: str) -> BusUser:
    """Return a user with all rights of *user* but one."""
    rights = [
        replace(right, operations=tuple(one for one in right.operations if one is not operation))
        if right.name == resource
        else right
        for right in user.rights
    ]
    assert tuple(rights) != user.rights
    return replace(user, name=name, rights=tuple(rights))


async def _send_report(service: Service, bearer: str) -> None:
    """Send a report until it is taken into the spool: intake answers 503 while it is still reading the plan."""
    async with open_client(service, bearer) as client:

        async def is_taken() -> bool:
            answer = await client.post("/v1/events", content=encode_event(a_submission("s-1")))
            return answer.status_code == HTTPStatus.ACCEPTED

        await eventually(is_taken, "the report taken, into the spool")
