"""The updates of the current view: the newest of a batch, in the layout that databases in operation have."""

from msgspec import structs

from services.reporting.core.timeline import AssessmentRevision, StatusSpan
from services.reporting.core.urging import AlertAttempt
from services.reporting.current import view_documents
from tests.support.builders.annual_report import a_key, a_revision, a_year

# If this changes, so does the layout: number the collection anew in `store.CURRENT`.
LAYOUT = (
    "event key plan_version registry registry_version clause opens_at recorded_at revision timeline",
    "from_at status due_at effective_at submissions flags missing evidence standing returns",
    "event alert key kind step due_at channel to_agency outcome attempted_at reason delivery as_successor",
)


def test_of_a_batch_the_newest_revision_of_a_duty_is_folded() -> None:
    """Whatever the order in the batch, one update a duty is written."""
    revisions = [a_revision(revision=number) for number in (2, 3, 1)]
    ((key, update),) = view_documents.fold_assessments(revisions).items()
    assert (key, update["$max"]["newest"]["revision"]) == (a_key(), 3)


def test_what_is_read_back_is_what_was_written() -> None:
    """A whole year: every instant, status and attempt is equal to the one that was folded."""
    revisions, attempts = a_year()
    for key, update in view_documents.fold_assessments(revisions).items():
        read = view_documents.decode_assessment({"newest": update["$max"]["newest"]})
        assert read == next(one for one in revisions if one.key == key)
    folded = view_documents.fold_attempts(one for several in attempts.values() for one in several)
    for key, update in folded.items():
        document = {"attempts": {name.partition(".")[2]: value for name, value in update["$set"].items()}}
        assert sorted(view_documents.decode_attempts(document), key=lambda one: one.event) == sorted(
            attempts[key], key=lambda one: one.event
        )


def test_the_layout_is_that_of_databases_in_operation() -> None:
    """A field that is renamed or added would read as damage there; a new number of the collection rebuilds the view."""
    layout = tuple(
        " ".join(one.name for one in structs.fields(kind)) for kind in (AssessmentRevision, StatusSpan, AlertAttempt)
    )
    assert layout == LAYOUT


def test_a_document_without_an_assessment_is_no_duty_yet() -> None:
    """An attempt may be folded before the assessment that it is about: both topics are read side by side."""
    assert view_documents.decode_assessment({"attempts": {}}) is None
    assert view_documents.decode_attempts({}) == ()
