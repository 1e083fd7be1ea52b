"""What is checked of a plan and its registry before they are published."""

from schemas.lint.document_tree import Node
from services.console.support import plan_checks
from services.runtime.kafka.document_parts import DOCUMENT_BYTES_MAX
from tests.support.builders import plans


def test_a_document_that_could_not_be_published_is_a_fault() -> None:
    """The fault names both sizes and a remedy; the usual registry has none."""
    large = plans.a_registry(plans.an_agency("h", names=[{"vi": "x" * DOCUMENT_BYTES_MAX}]))
    (fault,) = plan_checks.check_size(Node(value={}), large)
    assert f"{DOCUMENT_BYTES_MAX:,} is the most" in fault.message
    assert list(plan_checks.check_size(Node(value={}), plans.a_registry())) == []
