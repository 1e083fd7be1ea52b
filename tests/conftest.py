"""What every test gets: marks by folder, an environment without the system's settings, and real servers.

There is one broker, one database server, one mail server and one SMS centre per session, each started when the first
test needs it. Each test gets empty topics, a database of its own, an empty mailbox and an empty SMS log.
"""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pymongo
import pytest

from deploy.local.process.ports import free_ports
from deploy.local.servers.kafka import Kafka
from deploy.local.servers.message_servers import Smsc, Smtp
from deploy.local.servers.mongod import Mongod
from tests.support.clients.readers import ReadersFile
from tests.support.processes.forked_process import TemplateProcess
from tests.support.servers.intake import IntakeFiles
from tests.support.servers.kafka import PARTITIONS, Bus
from tests.support.servers.mongo import Database
from tests.support.servers.services import Launcher

ROOT = Path(__file__).parent.parent
MARKED_FOLDERS = ("unit", "contract", "integration", "e2e", "looks", "chaos", "bench")
JARS = Path(os.environ.get("DONDOC_HOME", ROOT / ".dondoc")) / "kafka" / "jars"

# The size of a benchmark, this machine's database binary, and what this machine must have.
KEPT = ("DONDOC_BENCH_", "DONDOC_MONGOD", "DONDOC_TEST_")

for variable in [name for name in os.environ if name.startswith("DONDOC_") and not name.startswith(KEPT)]:
    del os.environ[variable]


# No deadline and no check of how fast examples are made, because a busy machine is no counterexample; derandomized, so
# that a gate gives the same result again.
hypothesis.settings.register_profile(
    "gates", deadline=None, derandomize=True, database=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("gates")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test by its folder, and put the long files first: no worker shall be left alone with one at the end."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)
    for item in items:
        folder = item.path.relative_to(ROOT / "tests").parts[0]
        if folder in MARKED_FOLDERS:
            item.add_marker(folder)


@pytest.fixture(autouse=True)
def _same_umask() -> Iterator[None]:
    """The local stack closes its files to others for the whole process; Postfix, of a later test, has other users."""
    mask = os.umask(0o022)
    os.umask(mask)
    yield
    os.umask(mask)


@pytest.fixture(scope="session")
def jars() -> Path:
    """The folder of the broker's jars."""
    return JARS


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the session's servers."""
    return tmp_path_factory.mktemp("servers")


@pytest.fixture(scope="session")
def template() -> Iterator[Path]:
    """The socket of the process that services are forked from."""
    with tempfile.TemporaryDirectory(prefix="dondoc-") as folder:  # a short path: a socket's has at most 107 bytes
        process = TemplateProcess(Path(folder))
        process.start()
        yield process.socket
        process.kill()


@pytest.fixture(scope="session")
def session_kafka(servers: Path) -> Iterator[Kafka]:
    """One real broker."""
    port, controller_port = free_ports(2)
    server = Kafka(servers, jars=JARS, port=port, controller_port=controller_port)
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="session")
def session_mongod(servers: Path) -> Iterator[Mongod]:
    """One real database server."""
    server = Mongod(servers, port=free_ports(1)[0], has_fail_points=True)
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="session")
def session_smtp(servers: Path) -> Iterator[Smtp]:
    """One real mail server."""
    port, web_port = free_ports(2)
    server = Smtp(servers, port=port, web_port=web_port)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def session_smsc(servers: Path) -> Iterator[Smsc]:
    """One real SMS centre."""
    server = Smsc(servers, port=free_ports(1)[0])
    server.start()
    yield server
    server.stop()


@pytest.fixture
def kafka(session_kafka: Kafka) -> Iterator[Kafka]:
    """The running broker; a test may kill, pause or restart it."""
    yield session_kafka
    session_kafka.resume()
    session_kafka.start()


@pytest.fixture
def mongod(session_mongod: Mongod) -> Iterator[Mongod]:
    """The running database server; a test may kill, pause or restart it."""
    yield session_mongod
    session_mongod.resume()
    session_mongod.start()


@pytest.fixture
def smtp(session_smtp: Smtp) -> Smtp:
    """The mail server with an empty mailbox and no faults; a test may kill it."""
    session_smtp.resume()
    session_smtp.start()
    session_smtp.inject_faults({})
    for mail in session_smtp.mailbox.folder.glob("*.eml"):
        mail.unlink()
    return session_smtp


@pytest.fixture
def smsc(session_smsc: Smsc) -> Smsc:
    """The SMS centre with an empty log and no faults; a test may kill it."""
    session_smsc.resume()
    session_smsc.start()
    session_smsc.inject_faults({})
    session_smsc.log.unlink(missing_ok=True)
    return session_smsc


@pytest.fixture
async def bus(kafka: Kafka) -> Bus:
    """The declared topics, empty."""
    topics = Bus(kafka.bootstrap)
    await topics.recreate_topics()
    return topics


@pytest.fixture
def database(mongod: Mongod, request: pytest.FixtureRequest) -> Iterator[Database]:
    """A database for this test alone."""
    name = "test-" + hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:16]
    client: pymongo.MongoClient[dict[str, object]] = pymongo.MongoClient(mongod.url, tz_aware=True)
    own = Database(url=mongod.url, name=name, client=client)
    own.drop()
    yield own
    mongod.resume()  # a test may have left it paused or killed
    mongod.start()
    own.drop()
    client.close()


@pytest.fixture
def launch(tmp_path: Path, kafka: Kafka, template: Path | None) -> Iterator[Launcher]:
    """Start services as processes on this session's broker; they are stopped after the test."""
    environment = {
        "DONDOC_KAFKA_BOOTSTRAP": kafka.bootstrap,
        "DONDOC_PARTITIONS": str(PARTITIONS),
        "DONDOC_REPORTING_READERS": str(tmp_path / "readers.json"),
    }
    launcher = Launcher(tmp_path, environment, template=template)
    yield launcher
    launcher.end()


@pytest.fixture
def readers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ReadersFile:
    """The readers of reporting, created before it starts; commands of the console read with the key for everything."""
    found = ReadersFile(tmp_path / "readers.json")
    monkeypatch.setenv("DONDOC_READER_KEY", found.bearer)
    return found


@pytest.fixture
def intake_files(tmp_path: Path) -> IntakeFiles:
    """Empty files of intake."""
    return IntakeFiles(folder=tmp_path)


@pytest.fixture
def bearer(intake_files: IntakeFiles) -> str:
    """The bearer token of an API key that may do everything, created before intake starts."""
    return intake_files.add_key()
