"""State records keep what ruling 12 asks of a submission, and those from before that ruling are read."""

import msgspec

from services.rules.core.facts import Submission
from services.rules.state import state_store
from tests.support.builders.filings import a_report

DISPATCH = {"sent_at": "2024-12-08T16:00:00+07:00", "proof": "postmark", "reference": None}


def test_a_restored_submission_knows_whether_its_proof_holds() -> None:
    """Permission and reference come back as they were."""
    fact = a_report("s-1", "2024-12-12 09:00", dispatch=DISPATCH)
    assert isinstance(fact, Submission)
    changed = msgspec.structs.replace(fact, is_proof_permitted=False)
    for one in (fact, changed):
        assert state_store.decode_facts(state_store.encode_facts([one])) == (one,)
    assert not fact.has_proof_reference


def test_a_record_from_before_ruling_12_is_read() -> None:
    """Nothing is known of its permission and its reference, and nobody becomes late by an upgrade alone."""
    record = msgspec.json.decode(state_store.encode_facts([a_report("s-1", "2024-12-12 09:00", dispatch=DISPATCH)]))
    for name in ("is_proof_permitted", "has_proof_reference"):
        record["submissions"][0].pop(name, None)
    (fact,) = state_store.decode_facts(msgspec.json.encode(record))
    assert isinstance(fact, Submission)
    assert (fact.is_proof_permitted, fact.has_proof_reference) == (True, True)
