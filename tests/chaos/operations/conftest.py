"""A season for procedures of the runbook: the usual plan is published, each agency has a mailbox."""

from pathlib import Path

import pytest

from deploy.local.servers.message_servers import Smsc, Smtp
from tests.support.builders import plans
from tests.support.clients.notifier import NOON, NotifierClient, a_contact
from tests.support.clients.readers import ReadersFile
from tests.support.servers.installation import Season
from tests.support.servers.intake import IntakeFiles
from tests.support.servers.kafka import Bus
from tests.support.servers.mongo import Database


@pytest.fixture
async def season(  # noqa: PLR0913, PLR0917 - the servers of a whole installation
    bus: Bus, database: Database, smtp: Smtp, smsc: Smsc, intake_files: IntakeFiles, bearer: str, tmp_path: Path
) -> Season:
    """The usual plan is published and each agency has a mailbox; it is noon on 1 December 2026."""
    client = NotifierClient(bus, database, smtp, smsc, tmp_path / "clock")
    client.set_clock(NOON)
    await client.publish_documents()
    await client.load_contacts(*(a_contact(agency) for agency in plans.AGENCIES))
    reader = ReadersFile(tmp_path / "readers.json")
    return Season(client=client, files=intake_files, bearer=bearer, reader=reader)
