"""Kafka Streams as the peer that rules is compared with: it assesses the usual duty, exactly once, to the same bytes.

Its source is `kafka_streams/UsualDuty.java`, which Java compiles when it starts it.
"""

from pathlib import Path

import msgspec

from deploy.local.process.daemon import Daemon, Program
from schemas.events.topics import FACTS, VERDICTS
from services.rules.core.duty_catalogue import DutyCatalogue, DutySelection
from tests.bench.rules_worlds import HORIZON, PERIODS
from tests.support import maven

SOURCE = Path(__file__).parent / "kafka_streams"


class KafkaStreamsPeer(Daemon):
    """The peer as a process. It consumes the facts as the group `application` and writes to the topic of verdicts.

    The application is called like its folder, so that each starts without the state that another left on the broker.
    """

    def __init__(self, folder: Path, bootstrap: str, catalogue: DutyCatalogue) -> None:
        self.application = folder.name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "duties.json").write_bytes(_describe(catalogue))
        arguments = (
            bootstrap,
            self.application,
            FACTS.name,
            VERDICTS.name,
            str(folder / "state"),
            str(folder / "duties.json"),
        )
        command = (
            "java",
            "-Xmx1g",
            "-XX:+UseSerialGC",
            "-cp",
            maven.fetch_libraries(SOURCE, folder),
            str(SOURCE / "UsualDuty.java"),
            *arguments,
        )
        super().__init__(Program(name="usual-duty", command=command, folder=folder, is_ready=lambda: True))


def _describe(catalogue: DutyCatalogue) -> bytes:
    """Return what the peer has to know: the agencies, and what each duty is while nothing is filed."""
    agencies = [one.id for one in catalogue.registry.agencies]
    duties = []
    for key in catalogue.duties_opening_before(
        HORIZON, DutySelection(agencies=agencies[:1], periods=frozenset(PERIODS))
    ):
        shared = catalogue.shared_duty(agency=key.agency, obligation=key.obligation, period=key.period)
        duties.append(
            {
                "name": f"{key.obligation}|{key.period}",
                "clause": shared.duty.obligation.citation.clause,
                "opens_at": shared.duty.opens_at,
                "due_at": shared.duty.due_at,
                "timeline": shared.without_facts.outcome.timeline,
                "steps": shared.without_facts.outcome.alerts,
            }
        )
    head = {"versions": catalogue.versions, "registry": catalogue.registry.registry}
    return msgspec.json.encode({**head, "agencies": agencies, "duties": duties})
