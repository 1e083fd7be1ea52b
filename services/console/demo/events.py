"""The papers of the story as CloudEvents: reports, corrections, withdrawals and decisions, as agencies would send them.

It refuses to know who sends what when; that is the cast's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from schemas.events import facts, ids

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
PLAN = "6766-KH-UBND"
RESULTS = "annual-results"
YEAR = "2024"
ON_ITS_WAY = timedelta(minutes=4)  # what the document exchange takes from the sender's office to the bank's

Event = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How a paper reaches the bank: the upstream system that posts it, and what it can prove of the dispatch."""

    source: str
    proof: facts.Proof


PORTAL = Way(source="//bao-cao.thanh-hoa.example", proof="none")
EXCHANGE = Way(source="//truc-van-ban.thanh-hoa.example", proof="exchange-log")
MAIL = Way(source="//thu-den.nhcsxh-thanh-hoa.example", proof="mail-gateway")
POST = Way(source="//van-thu.nhcsxh-thanh-hoa.example", proof="postmark")
ARCHIVE = Way(source="//luu-tru.nhcsxh-thanh-hoa.example", proof="postmark")
DECISIONS = "//quyet-dinh.ubnd-thanh-hoa.example"


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """An event and the instant at which it is posted."""

    at: datetime
    event: Event

    @property
    def is_decision(self) -> bool:
        """Whether it moves a deadline and so needs the authority's own key."""
        return bool(self.event["source"] == DECISIONS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A report as its agency draws it up; by default a complete one. `serial` tells the agency's papers apart."""

    agency: str
    at: datetime
    serial: int = 1
    obligation: str = RESULTS
    period: str | None = YEAR
    way: Way = PORTAL
    sent_at: datetime | None = None
    number: str | None = None
    corrects: str | None = None
    on_behalf_of: str | None = None
    written_as: str | None = None
    is_nil: bool = False
    is_signed: bool = True
    has_file: bool = True
    indicators: Mapping[str, int] | None = None

    @property
    def id(self) -> str:
        return f"{self.agency}-{self.obligation}-{self.period or 'once'}-{self.serial}"

    def post(self) -> Post:
        """Return it as posted at its instant."""
        return Post(at=self.at, event=self.event())

    def event(self) -> Event:
        """Return it as an event."""
        body: dict[str, Any] = {
            "plan": PLAN,
            "obligation": self.obligation,
            "agency": self.written_as or self.agency,
            "document": self._document(),
            "dispatch": self._dispatch(),
            "content": self._content(),
            "attachments": [] if self.is_nil or not self.has_file else [_file(self.id)],
        }
        optional = {"period": self.period, "corrects": self.corrects, "on_behalf_of": self.on_behalf_of}
        body.update({name: value for name, value in optional.items() if value is not None})
        return _event(facts.SUBMITTED, self.id, self.way.source, body, self.at)

    def _document(self) -> dict[str, Any]:
        return {
            "number": self.number or f"{drawn(self.id, 40, 980)}/BC-{symbol(self.agency)}",
            "issued_on": (self.sent_at or self.at).astimezone(ZONE).date().isoformat(),
            "signed_by": signatory(self.agency) if self.is_signed else "",
            "title": f"Báo cáo kết quả thực hiện Kế hoạch số 6766/KH-UBND năm {self.period or YEAR}",
        }

    def _dispatch(self) -> dict[str, Any]:
        sent_at = self.sent_at or (self.at if self.way.proof == "none" else self.at - ON_ITS_WAY)
        return {"sent_at": _written(sent_at), "proof": self.way.proof, "reference": f"{self.way.proof}/{self.id}"}

    def _content(self) -> dict[str, Any]:
        if self.is_nil:
            return {"nil_return": True, "figures_as_of": None, "sections": {}, "indicators": {}}
        return {
            "nil_return": False,
            "figures_as_of": f"{self.period or YEAR}-11-30",
            "sections": {"results": "Đã triển khai đầy đủ các nhiệm vụ được giao; dư nợ tăng, chất lượng ổn định."},
            "indicators": dict(self.indicators if self.indicators is not None else figures(self.agency)),
        }


def figures(agency: str) -> dict[str, int]:
    """Return plausible figures of an agency, in million đồng; a district lends some hundred thousand million."""
    entrusted = drawn(f"{agency}/entrusted", 1_200, 14_000)
    lent = drawn(f"{agency}/outstanding", 180_000, 640_000)
    return {
        "entrusted_local_budget": entrusted,
        "entrusted_added_in_year": entrusted // 9,
        "outstanding_loans": lent,
        "overdue_debt": lent // 900,
    }


def withdrawal(report: Report, at: datetime, reason: str) -> Post:
    """Return the word by which an agency takes *report* back."""
    body = {**_duty(report), "withdraws": report.id, "reason": reason}
    return Post(at=at, event=_event(facts.WITHDRAWN, f"{report.id}-withdrawn", report.way.source, body, at))


def reassignment(report: Report, at: datetime, to_period: str) -> Post:
    """Return the decision that *report* is about another period than it says."""
    body = {
        "plan": PLAN,
        "obligation": report.obligation,
        "agency": report.agency,
        "submission": report.id,
        "from_period": report.period,
        "to_period": to_period,
        "reason": "Báo cáo ghi nhầm năm",
    }
    return Post(at=at, event=_event(facts.REASSIGNED, f"{report.id}-moved", DECISIONS, body, at))


def extension(agency: str, at: datetime, due_at: datetime) -> Post:
    """Return the decision that gives *agency* until *due_at*."""
    body = {
        "plan": PLAN,
        "obligation": RESULTS,
        "period": YEAR,
        "agency": agency,
        "due_at": _written(due_at),
        "decision": _decision(agency, at.date()),
        "reason": "Khắc phục hậu quả mưa lũ",
    }
    return Post(at=at, event=_event(facts.EXTENDED, f"{agency}-extension", DECISIONS, body, at))


def exemption(agency: str, at: datetime, until: datetime) -> Post:
    """Return the decision that releases *agency* from what falls due from *at* until *until*."""
    body = {
        "plan": PLAN,
        "obligation": RESULTS,
        "agency": agency,
        "from": _written(at),
        "until": _written(until),
        "decision": _decision(agency, at.date()),
        "reason": "Đơn vị không có nhiệm vụ trong năm",
    }
    return Post(at=at, event=_event(facts.EXEMPTED, f"{agency}-exemption", DECISIONS, body, at))


def symbol(agency: str) -> str:
    """Return the issuing body as official numbers abbreviate it: STP of Sở Tư pháp, UBND of a district."""
    kind, _, name = agency.partition("-")
    match kind:
        case "so":
            return f"S{name.upper()}"
        case "ban":
            return f"B{name.upper()}"
        case "thanh":
            return "TTr"
        case _:
            return "UBND"


def signatory(agency: str) -> str:
    """Return the office that signs; the story names no person."""
    return "Chủ tịch UBND" if symbol(agency) == "UBND" else "Thủ trưởng cơ quan"


def _duty(report: Report) -> dict[str, Any]:
    named = {"plan": PLAN, "obligation": report.obligation, "agency": report.agency}
    return named if report.period is None else {**named, "period": report.period}


def _decision(agency: str, day: date) -> dict[str, Any]:
    number = f"{drawn(f'{agency}/decision', 3_900, 4_900)}/QĐ-UBND"
    return {"number": number, "issued_on": day.isoformat(), "signed_by": "Chủ tịch UBND tỉnh"}


def _file(name: str) -> dict[str, Any]:
    return {
        "name": f"{name}.pdf",
        "media_type": "application/pdf",
        "size": drawn(f"{name}/size", 90_000, 2_400_000),
        "sha256": ids.digest("file", name),
        "url": f"https://tep.thanh-hoa.example/{name}.pdf",
    }


def _event(kind: str, event_id: str, source: str, body: Mapping[str, Any], at: datetime) -> Event:
    return {
        "specversion": "1.0",
        "type": kind,
        "id": event_id,
        "source": source,
        "subject": body["agency"],
        "time": _written(at),
        "datacontenttype": "application/json",
        "data": body,
    }


def _written(instant: datetime) -> str:
    return instant.astimezone(ZONE).isoformat(timespec="milliseconds")


def drawn(seed: str, low: int, high: int) -> int:
    """Return a number of [low, high) that depends on *seed* alone, so that every run tells the same story."""
    return low + int(ids.digest("dondoc demo", seed)[:12], 16) % (high - low)
