"""The admin port of an intake with workers is the main process's, and speaks for all of them."""

import httpx

from deploy.local.process.ports import free_ports
from tests.support.assertions.eventually import eventually
from tests.support.servers.intake import IntakeFiles, publish_plan
from tests.support.servers.kafka import Bus
from tests.support.servers.services import Launch

WORKERS = 2


async def test_metrics_are_on_the_admin_port_alone(bus: Bus, launch: Launch, intake_files: IntakeFiles) -> None:
    """Whichever process a connection to the shared port reaches, none of them shows metrics there."""
    await publish_plan(bus)
    (port,) = free_ports(1)
    settings = {"DONDOC_INTAKE_WORKERS": str(WORKERS), "DONDOC_ADMIN_PORT_INTAKE": str(port)}
    service = launch("intake", **settings, **intake_files.environment)
    admin = f"http://127.0.0.1:{port}"
    await eventually(lambda: f"intake_workers {WORKERS}.0" in httpx.get(f"{admin}/metrics").text, "both workers")
    assert httpx.get(f"{admin}/asyncapi").status_code == 200
    for _ in range(20):  # each on a connection of its own, which any process may get
        for path in ("/metrics", "/asyncapi"):
            refused = httpx.get(f"{service.url}{path}")
            assert (refused.status_code, refused.json()["status"]) == (404, 404)
    assert httpx.get(f"{service.url}/readyz").status_code == 200
