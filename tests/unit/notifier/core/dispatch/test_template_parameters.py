"""What a template of a provider's is filled with is what the message would say."""

from schemas.events.assessments import StepKind
from schemas.events.deliveries import Channel
from services.notifier.core.dispatch import template_parameters
from services.notifier.core.scheduling import routing
from services.notifier.core.scheduling.routing import Contact, Digest
from tests.unit.notifier.digest_builders import AGENCY, FakeDocuments, an_alert
from tests.unit.notifier.schedule_builders import DUE, days


def test_the_values_are_those_of_the_most_pressing_duty() -> None:
    """The last good day is written as people write it, and every name has a value."""
    contact = Contact(agency=AGENCY, channel=Channel.SMS, address="+84912345678")
    alerts = (an_alert(StepKind.URGING), an_alert(obligation="another"))
    digest = Digest(to_agency=AGENCY, channel=Channel.SMS, alerts=alerts, contacts=(contact,))
    (created,) = routing.create_deliveries(digest, "batch")
    values = template_parameters.describe_delivery(created, FakeDocuments(), days(-7))
    assert tuple(values) == template_parameters.NAMES
    assert values["agency"] == "UBND huyện Thọ Xuân"
    assert values["report"] == "Kết quả thực hiện Kế hoạch"
    assert (values["count"], values["period"]) == ("2", "2026")
    assert values["deadline"].endswith(str(DUE.year))
