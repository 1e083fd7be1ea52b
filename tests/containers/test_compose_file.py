"""The compose file on a real engine: a report becomes a mail and a document, faults heal, and nothing is left behind.

The tests run in this order, on one system; the last one takes it down. Run by `make containers`.
"""

import json
import os
import signal
import socket
from collections.abc import Iterator

import httpx
import pytest

from tests.containers.conftest import ONE_SHOTS
from tests.containers.engine import ComposedSystem, Engine
from tests.support.clients.installed_system import AGENCY, CONTACTS, OTHER_AGENCIES, SOURCE, InstalledSystem, wait_until

pytestmark = pytest.mark.timeout(900)

PROMETHEUS, ALERTMANAGER = "http://127.0.0.1:9090", "http://127.0.0.1:9093"
OWN = {"intake", "rules", "notifier", "reporting", "audit"}
ADMIN_PORTS = (9001, 9002, 9003, 9004, 8005)


@pytest.fixture(scope="session")
def installed(system: ComposedSystem) -> Iterator[InstalledSystem]:
    """The system by its published ports, with new keys."""
    create_key = ("keys", "create", "--system=qlvb", "--agency=*", f"--source={SOURCE}")
    create_reader = ("readers", "create", "--name=officer", "--scope=all")
    with httpx.Client(timeout=60) as client:
        yield InstalledSystem(
            client=client,
            intake="http://127.0.0.1:8001",
            reporting="http://127.0.0.1:8004",
            mailbox="http://127.0.0.1:1080",
            sender=json.loads(system.execute("intake", "dondoc", *create_key))["key"],
            reader=json.loads(system.execute("reporting", "dondoc", *create_reader))["key"],
        )


def is_open(port: int) -> bool:
    """Whether a port of this machine accepts connections."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_every_container_runs_as_the_file_says(system: ComposedSystem) -> None:
    """Each one-shot has ended well; what runs is bounded, and ours is not root, read-only and without capabilities."""
    for service in system.services():
        container = system.container(service)
        limits = container["HostConfig"]
        assert limits["Memory"] > 0, service
        assert limits["PidsLimit"] > 0, service
        assert limits["Init"] is True, service
        assert limits["CapDrop"] == ["ALL"], service
        if service in ONE_SHOTS:
            assert container["State"]["ExitCode"] == 0, service
        if service in OWN:
            assert limits["ReadonlyRootfs"] is True, service
            assert container["Config"]["User"] == "10001", service


def test_settings_come_from_the_folder_and_each_secret_reaches_its_services(
    system: ComposedSystem, installed: InstalledSystem
) -> None:
    """The clock that the folder sets is every service's; the key between intake and rules is theirs alone."""
    environments = {name: system.execute(name, "env") for name in OWN}
    assert {name for name, one in environments.items() if "DONDOC_CLOCK=steered:/etc/dondoc/clock" in one} == OWN
    assert {name for name, one in environments.items() if "DONDOC_DRY_RUN_KEY=" in one} == {"intake", "rules"}
    assert [port for port in ADMIN_PORTS if is_open(port)] == []
    assert installed.client.get(f"{installed.intake}/metrics").status_code == httpx.codes.NOT_FOUND


def test_a_report_becomes_a_mail_and_a_document(system: ComposedSystem, installed: InstalledSystem) -> None:
    """The agency is reminded, its report is acknowledged by mail, and the annual report is there in every format."""
    system.execute("notifier", "dondoc", "contacts", "import", "/dev/stdin", stdin=CONTACTS)
    installed.check_report_becomes_mail_and_document()


def test_a_killed_service_comes_back_and_goes_on(system: ComposedSystem, installed: InstalledSystem) -> None:
    """Rules is killed without warning; the engine starts it again, and what was posted meanwhile is assessed."""
    before = system.container("rules")
    os.kill(before["State"]["Pid"], signal.SIGKILL)
    installed.post_report(OTHER_AGENCIES[0])
    installed.wait_until_assessed(OTHER_AGENCIES[0])
    assert system.container("rules")["RestartCount"] == before["RestartCount"] + 1


def test_what_is_posted_while_the_broker_hangs_is_kept(system: ComposedSystem, installed: InstalledSystem) -> None:
    """Intake acknowledges out of its spool, and delivers it once the broker answers."""
    broker = system.container("kafka")["Id"]
    system.engine.docker("pause", broker)
    try:
        receipt = installed.post_report(OTHER_AGENCIES[1])
    finally:
        system.engine.docker("unpause", broker)
    wait_until(
        lambda: installed.read(f"/v1/receipts/{receipt}").status_code == httpx.codes.OK, "the receipt is in the log"
    )
    installed.wait_until_assessed(OTHER_AGENCIES[1])


def test_everything_is_scraped_and_alerts_arrive(installed: InstalledSystem) -> None:
    """Prometheus reaches all five, and the alert that always fires reaches Alertmanager."""

    def all_are_up() -> bool:
        targets = installed.client.get(f"{PROMETHEUS}/api/v1/targets").json()["data"]["activeTargets"]
        return {one["labels"]["job"] for one in targets if one["health"] == "up"} == OWN

    def watchdog_has_arrived() -> bool:
        alerts = installed.client.get(f"{ALERTMANAGER}/api/v2/alerts").json()
        return "Watchdog" in {one["labels"]["alertname"] for one in alerts}

    wait_until(all_are_up, "every target is up")
    wait_until(watchdog_has_arrived, "the watchdog has reached Alertmanager")


def test_containers_made_anew_keep_their_state_and_leave_no_volume(
    system: ComposedSystem, installed: InstalledSystem
) -> None:
    """Everything is made anew on the same volumes: what was reported is there, and no volume is without a name."""
    volumes = system.engine.volumes()
    assert [name for name in volumes if not name.startswith(f"{system.project}_")] == []
    system.compose("up", "--detach", "--no-build", "--force-recreate")
    assert system.engine.volumes() == volumes
    for service in OWN:
        system.wait_until_healthy(service)
    installed.wait_until_assessed(AGENCY)
    assert installed.mail_subjects() == [], "the mailbox is empty after its restart, and nobody is written to twice"


def test_taken_down_it_leaves_nothing(system: ComposedSystem, engine: Engine) -> None:
    """No container, volume or network of the system is left."""
    system.compose("down", "--volumes")
    assert engine.containers() == []
    assert engine.volumes() == set()
    assert set(engine.docker("network", "ls", "--format", "{{.Name}}").split()) == {"bridge", "host", "none"}
