"""Builders of plans, registries and events: each is valid by itself, and a test states only what matters to it.

Documents are the models of `schemas`; events are JSON objects as an upstream system posts them.
"""

from typing import Any

from schemas.events.facts import (
    ACCEPTED,
    EXEMPTED,
    EXTENDED,
    REASSIGNED,
    RETURNED,
    REVOKED,
    SUBMITTED,
    WITHDRAWN,
)
from schemas.plan.plan import Obligation, Plan
from schemas.plan.registry import Agency, Registry

PLAN = "P-1"
REGISTRY = "th"
OBLIGATION = "results"
GROUP = "huyen"
AGENCIES = ("h-mot", "h-hai", "h-ba")
SINCE = "2016-05-05"
SOURCE = "qlvb.h-mot"
Json = dict[str, Any]


def a_version(**changes: Any) -> Json:
    """Build the settings of an obligation: due before 10 December each year, complete with one section."""
    usual: Json = {
        "from": SINCE,
        "recurrence": "year",
        "due": {"month": 12, "day": 10},
        "requires": {"sections": ["results"]},
        "reminders": {"before": ["P7D", "P1D"], "after": ["PT0S", "P3D"]},
    }
    return usual | changes


def an_obligation(*versions: Json, **changes: Any) -> Obligation:
    """Build an obligation of the group; without *versions* it has the usual one."""
    usual: Json = {
        "id": OBLIGATION,
        "citation": {"source": "kh", "clause": "III.1", "quote": "gửi kết quả trước ngày 10 tháng 12 hàng năm"},
        "title": {"vi": "Kết quả thực hiện", "en": "Results"},
        "addressees": [GROUP],
        "versions": list(versions) or [a_version()],
    }
    if "lead" in changes:
        del usual["addressees"]
    return Obligation.model_validate(usual | changes)


def a_plan(*obligations: Obligation, **changes: Any) -> Plan:
    """Build a plan; without *obligations* it has the usual one."""
    usual: Json = {
        "plan": PLAN,
        "version": 1,
        "title": {"vi": "Kế hoạch", "en": "Plan"},
        "issued_on": SINCE,
        "registry": REGISTRY,
        "sources": [{"id": "kh", "number": "6766/KH-UBND"}],
        "obligations": list(obligations) or [an_obligation()],
    }
    return Plan.model_validate(usual | changes)


def an_agency(agency: str, **changes: Any) -> Agency:
    """Build an agency that is in the group from the beginning."""
    usual: Json = {
        "id": agency,
        "valid": {"from": SINCE},
        "names": [{"vi": f"UBND huyện {agency}", "en": f"{agency} District", "from": SINCE}],
        "groups": [{"id": GROUP, "from": SINCE}],
    }
    return Agency.model_validate(usual | changes)


def a_registry(*agencies: Agency, **changes: Any) -> Registry:
    """Build a registry; without *agencies* it has three of one group."""
    usual: Json = {
        "registry": REGISTRY,
        "version": 1,
        "groups": [{"id": GROUP, "name": {"vi": "Huyện", "en": "Districts"}}],
        "agencies": list(agencies) or [an_agency(agency) for agency in AGENCIES],
    }
    return Registry.model_validate(usual | changes)


def an_event(kind: str, event: str, data: Json, **attributes: Any) -> Json:
    """Build a CloudEvent in structured mode as it is posted, or with the attribute `receivedtime` as it is recorded."""
    usual: Json = {
        "specversion": "1.0",
        "id": event,
        "source": SOURCE,
        "type": kind,
        "subject": data["agency"],
        "time": "2024-12-01T08:00:00+07:00",
        "datacontenttype": "application/json",
        "data": data,
    }
    return usual | attributes


def a_submission(event: str = "s-1", *, data: Json | None = None, **attributes: Any) -> Json:
    """Build a complete report of the first agency for 2024; *data* changes its data, *attributes* its envelope."""
    usual: Json = {
        **_duty(),
        "document": {"number": f"{event}/BC-UBND", "issued_on": "2024-12-01", "signed_by": "Lê Văn A", "title": "BC"},
        "dispatch": {"sent_at": None, "proof": "none", "reference": None},
        "content": {"nil_return": False, "figures_as_of": None, "sections": {"results": "Đã làm"}, "indicators": {}},
        "attachments": [],
    }
    return an_event(SUBMITTED, event, usual | (data or {}), **attributes)


def a_withdrawal(event: str, withdraws: str, **attributes: Any) -> Json:
    """Build the withdrawal of a report by the first agency."""
    return an_event(WITHDRAWN, event, {**_duty(), "withdraws": withdraws, "reason": "Sai số liệu"}, **attributes)


def a_reassignment(event: str, submission: str, *, to: str, from_: str = "2024", **attributes: Any) -> Json:
    """Build the move of a report of the first agency to the period that it is about."""
    data = {**_docket(), "submission": submission, "from_period": from_, "to_period": to, "reason": "Ghi nhầm kỳ"}
    return an_event(REASSIGNED, event, data, **attributes)


def a_return(event: str, submission: str, *, respond_by: str | None = None, **attributes: Any) -> Json:
    """Build the return of a report of the first agency for 2024 by its recipient."""
    data = {
        **_duty(),
        "submission": submission,
        "reason": "Số liệu chưa khớp",
        "respond_by": respond_by,
        "returned_by": "nhcsxh-tinh",
    }
    return an_event(RETURNED, event, data, **attributes)


def an_acceptance(event: str, submission: str, **attributes: Any) -> Json:
    """Build the acceptance of a report of the first agency for 2024 by its recipient."""
    data = {**_duty(), "submission": submission, "note": "", "accepted_by": "nhcsxh-tinh"}
    return an_event(ACCEPTED, event, data, **attributes)


def an_extension(event: str, due_at: str, **attributes: Any) -> Json:
    """Build an extension of the first agency's due instant of 2024."""
    data = {**_duty(), "due_at": due_at, "decision": a_decision(), "reason": "Bão số 3"}
    return an_event(EXTENDED, event, data, **attributes)


def an_exemption(event: str, since: str, until: str, **attributes: Any) -> Json:
    """Build an exemption of the first agency from what falls due in [since, until)."""
    data = {**_docket(), "from": since, "until": until, "decision": a_decision(), "reason": "Bão số 3"}
    return an_event(EXEMPTED, event, data, **attributes)


def a_revocation(event: str, exemption: str, due_at: str | None, **attributes: Any) -> Json:
    """Build the revocation of an exemption of the first agency."""
    data = {**_docket(), "exemption": exemption, "due_at": due_at, "decision": a_decision(), "reason": "Hết bão"}
    return an_event(REVOKED, event, data, **attributes)


def a_decision(**changes: Any) -> Json:
    """Build the decision behind an extension, an exemption or its revocation."""
    return {"number": "12/QĐ-UBND", "issued_on": "2024-11-20", "signed_by": "Chủ tịch"} | changes


def _docket() -> Json:
    return {"plan": PLAN, "obligation": OBLIGATION, "agency": AGENCIES[0]}


def _duty() -> Json:
    return {**_docket(), "period": "2024"}
